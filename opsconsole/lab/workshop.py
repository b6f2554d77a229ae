"""What a fault may do to a lab that runs: verbs, each of which raises LabError where it cannot be done.

Nothing here is taken back: `stack.renew` starts the lab again as it was at first.
"""

import asyncio
import json
import re
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from opsconsole.errors import LabError
from opsconsole.lab import distortion, parts, processes
from opsconsole.lab.distortion import Distortion
from opsconsole.lab.servers import Servers, find
from opsconsole.lab.state import LabState

Change = tuple[str, str]
"""A text that is in the file, and what it becomes, everywhere."""

WITHIN_SECONDS = 60.0
REQUEST_SECONDS = 60.0
POLL_SECONDS = 0.05
YEARS = timedelta(days=3650)


class Workshop:
    """One running lab and the tools on it."""

    def __init__(self, lab: LabState) -> None:
        self.lab = lab

    def edit(self, file: Path, *changes: Change) -> None:
        """Change a file of the lab; whoever reads it is not told."""
        text = file.read_text(encoding="utf-8")
        for old, new in changes:
            if old not in text:
                raise LabError(f"there is no {old!r} to be changed", where=str(file))
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")

    def rules(self, *changes: Change, more: str = "", reference: bool = False, accepted: bool = True) -> None:
        """Change the rule file, with `reference` also what it is compared with, and have it loaded. `more`
        are groups to be put at its end. `accepted`: whether Prometheus takes it."""
        self.edit(self.lab.rules_path, *changes)
        if more:
            with self.lab.rules_path.open("a", encoding="utf-8") as file:
                file.write(more)
        if reference:
            shutil.copy(self.lab.rules_path, self.lab.reference_rules_path)
        self._reload(self.lab.prometheus_url, accepted)

    def prometheus(self, *changes: Change, accepted: bool = True) -> None:
        """Change prometheus.yml and have it loaded."""
        self.edit(self.lab.prometheus_config_path, *changes)
        self._reload(self.lab.prometheus_url, accepted)

    def alertmanager(self, *changes: Change, accepted: bool = True) -> None:
        """Change alertmanager.yml and have it loaded."""
        self.edit(self.lab.alertmanager_config_path, *changes)
        self._reload(self.lab.alertmanager_url, accepted)

    def dashboard(self, *changes: Change, reference: bool = False) -> None:
        """Change the dashboard's JSON, laid out with two spaces, in the Grafana stand-in; with `reference`
        also what it is compared with."""
        text = json.dumps(self.board(), indent=2, ensure_ascii=False)
        for old, new in changes:
            if old not in text:
                raise LabError(f"there is no {old!r} to be changed", where="the dashboard")
            text = text.replace(old, new)
        if reference:
            self.lab.reference_dashboard_path.write_text(text, encoding="utf-8")
        self.save_board(json.loads(text))

    def board(self) -> dict[str, Any]:
        """The dashboard's JSON as the Grafana stand-in has it."""
        found: dict[str, Any] = self.grafana("/api/dashboards/uid/billing-metrics")["dashboard"]
        return found

    def save_board(self, board: dict[str, Any]) -> None:
        """Put this in the dashboard's place."""
        self.grafana("/api/dashboards/db", {"dashboard": board, "overwrite": True})

    def grafana(self, path: str, body: Any = None, *, method: str = "") -> Any:
        """What the Grafana stand-in answers to somebody who may do everything."""
        return self.ask(self.lab.grafana_url + path, body, method=method, token=self.lab.grafana_token)

    def service(self, **behaviour: Any) -> None:
        """The billing service behaves otherwise: see `opsconsole.lab.service.traffic.Behaviour`."""
        self.ask(f"{self.lab.service_url}/lab/state", behaviour, token=self.lab.api_key)

    def mail(self, **behaviour: Any) -> None:
        """The mail server behaves otherwise: see `opsconsole.lab.mail.Behaviour`."""
        self.ask(f"{self.lab.inbox_url}/lab/mail", behaviour, token=self.lab.api_key)

    def distort(self, part: str, *distortions: Distortion) -> None:
        """These answers of a stand-in (`service`, `inbox` or `grafana`) are spoilt, and no others."""
        url = getattr(self.lab, f"{part}_url") + distortion.PATH
        self.ask(url, [each.as_dict() for each in distortions], token=self.lab.api_key)

    def stop(self, part: str) -> None:
        """A part ends."""
        parts.end(self.lab, [part])

    def restart(self, part: str, *flags: str | Path) -> None:
        """A part starts again with these flags after its own; of a flag given twice the later counts, where
        the program takes it twice (Prometheus and Alertmanager do not)."""
        self.stop(part)
        argv = parts.commands(self.lab, self.servers())[part]
        given = {str(flag).partition("=")[0] for flag in flags}
        kept = [each for each in argv if str(each).partition("=")[0] not in given]
        self.start(part, [*kept, *flags], dict(parts.health_urls(self.lab))[part])

    def start(self, name: str, argv: parts.Command, health_url: str) -> processes.Process:
        """A program beside the lab's parts, or in the place of one; it ends with the lab."""
        process = parts.spawn(self.lab, name, argv)
        asyncio.run(processes.wait_ready(health_url, process))
        return process

    def needs_prometheus(self, version: str) -> None:
        """Raise LabError where the lab's is older: there it cannot be broken so."""
        if _parts(self.lab.prometheus_version) < _parts(version):
            message = f"Prometheus {self.lab.prometheus_version} cannot be broken so: {version} or newer can"
            raise LabError(message, where=str(self.lab.folder))

    def servers(self) -> Servers:
        """The programs that the lab was started with."""
        return find(self.lab.prometheus_version, self.lab.alertmanager_version)

    def beside(self, name: str) -> Path:
        """A folder in the lab's own for what a fault starts; it goes when the lab is mended."""
        return self.lab.folder / f"beside-{name}"

    def silence(
        self,
        *matchers: tuple[str, str],
        comment: str,
        lasting: timedelta = YEARS,
        begins_in: timedelta = timedelta(seconds=-1),
    ) -> None:
        """A silence, in force unless it begins later, on labels with these values (regular expressions)."""
        begins = datetime.now(UTC) + begins_in
        wish = {
            "matchers": [{"name": n, "value": v, "isRegex": True, "isEqual": True} for n, v in matchers],
            "startsAt": begins.isoformat(),
            "endsAt": (begins + lasting).isoformat(),
            "createdBy": "somebody",
            "comment": comment,
        }
        self.ask(f"{self.lab.alertmanager_url}/api/v2/silences", wish)

    def fire(self, lasting: timedelta = timedelta(days=7), **labels: str) -> None:
        """An alert in Alertmanager that did not come from Prometheus."""
        ends = (datetime.now(UTC) + lasting).isoformat()
        self.ask(f"{self.lab.alertmanager_url}/api/v2/alerts", [{"labels": labels, "endsAt": ends}])
        chosen = quote(f'alertname="{labels["alertname"]}"')
        held = f"{self.lab.alertmanager_url}/api/v2/alerts?filter={chosen}"
        self.until(lambda: self.ask(held), "Alertmanager to hold the alert")

    def steady(self) -> None:
        """Wait until Prometheus has scraped the service three times, has evaluated all its rules, and knows
        its Alertmanager: some six seconds after a start."""
        interval = 0.1 if self.lab.drill else 1.0
        url = f"{self.lab.prometheus_url}/api/v1"

        def evaluated() -> bool:
            groups = self.ask(f"{url}/rules")["data"]["groups"]
            return all(not rule["lastEvaluation"].startswith("0001-") for g in groups for rule in g["rules"])

        self.target_is("up")
        scrapes = f'min(count_over_time(up{{job="rsolv-platform"}}[{round(4000 * interval)}ms])) > 2'
        self.until(lambda: self.queried(scrapes), "three scrapes")
        self.until(evaluated, "all rules to be evaluated")
        known = f"{url}/alertmanagers"
        self.until(lambda: self.ask(known)["data"]["activeAlertmanagers"], "Prometheus to find Alertmanager")

    def target_is(self, health: str) -> None:
        """Wait until Prometheus says so of every target of the service's job."""

        def seen() -> bool:
            targets = self.ask(f"{self.lab.prometheus_url}/api/v1/targets")["data"]["activeTargets"]
            found = [target["health"] for target in targets if target["labels"]["job"] == "rsolv-platform"]
            return bool(found) and set(found) == {health}

        self.until(seen, f"the target to be {health}")

    def rule_fails(self) -> None:
        """Wait until a rule fails to evaluate."""
        url = f"{self.lab.prometheus_url}/api/v1/rules"

        def failing() -> bool:
            groups = self.ask(url)["data"]["groups"]
            return any(rule["health"] == "err" for group in groups for rule in group["rules"])

        self.until(failing, "a rule to fail")

    def queried(self, promql: str) -> list[Any]:
        """What Prometheus answers to an instant query."""
        url = f"{self.lab.prometheus_url}/api/v1/query?query={quote(promql)}"
        found: list[Any] = self.ask(url)["data"]["result"]
        return found

    def until(
        self, condition: Callable[[], object], what: str, within_seconds: float = WITHIN_SECONDS
    ) -> None:
        """Wait until it holds. Raises LabError where it does not in time."""
        deadline = time.monotonic() + within_seconds
        while not condition():
            if time.monotonic() > deadline:
                raise LabError(f"waited {WITHIN_SECONDS:g} s for {what}", where=str(self.lab.folder))
            time.sleep(POLL_SECONDS)

    def ask(self, url: str, body: Any = None, *, method: str = "", token: str = "") -> Any:
        """The JSON that a server of the lab answers, None for anything else. Raises LabError."""
        headers = {"content-type": "application/json"}
        headers |= {"authorization": f"Bearer {token}"} if token else {}
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, headers, method=method or ("GET" if data is None else "POST"))  # noqa: S310
        try:
            with urlopen(request, timeout=REQUEST_SECONDS) as answer:  # noqa: S310
                text = answer.read()
        except HTTPError as error:
            said = error.read().decode(errors="replace")[:300]
            raise LabError(f"answered with {error.code}: {said}", where=url) from error
        except OSError as error:
            raise LabError(f"does not answer: {error}", where=url) from error
        with suppress(ValueError):
            return json.loads(text)

    def _reload(self, url: str, accepted: bool) -> None:
        try:
            self.ask(f"{url}/-/reload", method="POST")
        except LabError:
            if accepted:
                raise
        else:
            if not accepted:
                raise LabError("the configuration was accepted, and should have been refused", where=url)


def _parts(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:2]]
