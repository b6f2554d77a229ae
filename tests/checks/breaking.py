"""Break a running lab, and mend it again for sure."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from opsconsole.lab import parts, processes, servers
from opsconsole.lab.state import LabState

Edit = Callable[[str], str]


def ask(url: str, body: Any = None, *, method: str = "", token: str = "") -> Any:
    """The JSON that a server answers, None for anything else."""
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, headers, method=method or ("GET" if data is None else "POST"))
    with urlopen(request, timeout=60) as answer:
        text = answer.read()
    with suppress(ValueError):
        return json.loads(text)


def eventually(condition: Callable[[], object], what: str, within_seconds: float = 120.0) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + within_seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_seconds:g} s: {what}"
        time.sleep(0.03)


def queried(lab: LabState, promql: str) -> list[Any]:
    found: list[Any] = ask(f"{lab.prometheus_url}/api/v1/query?query={quote(promql)}")["data"]["result"]
    return found


def target_is(lab: LabState, health: str) -> None:
    """Wait until Prometheus says so of the service."""

    def seen() -> bool:
        targets = ask(f"{lab.prometheus_url}/api/v1/targets")["data"]["activeTargets"]
        return [target["health"] for target in targets] == [health]

    eventually(seen, f"the target is {health}")


def first_scrape(lab: LabState) -> None:
    target_is(lab, "up")
    eventually(lambda: len(rules(lab)) == 7 and all(map(_evaluated, rules(lab))), "all rules evaluated")
    eventually(lambda: queried(lab, 'count_over_time(up{job="rsolv-platform"}[5s]) > 2'), "three scrapes")


def rules(lab: LabState) -> list[Any]:
    groups = ask(f"{lab.prometheus_url}/api/v1/rules")["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _evaluated(rule: Mapping[str, Any]) -> bool:
    return not str(rule["lastEvaluation"]).startswith("0001-")


def reloaded(url: str) -> bool:
    """Have a server read its configuration again; both answer when they have done so, or have refused."""
    try:
        ask(f"{url}/-/reload", method="POST")
    except HTTPError as error:
        if error.code != 500:
            raise
        return False
    return True


@contextmanager
def _edited(path: Path, edit: Edit, url: str, *, accepted: bool) -> Iterator[None]:
    before = path.read_text()
    after = edit(before)
    assert after != before, "the edit changes nothing"
    path.write_text(after)
    try:
        assert reloaded(url) is accepted
        yield
    finally:
        path.write_text(before)
        assert reloaded(url)


@contextmanager
def rule_file(lab: LabState, edit: Edit, *, accepted: bool = True) -> Iterator[None]:
    """Prometheus with another rule file; `accepted`: whether it can be loaded."""
    with _edited(lab.rules_path, edit, lab.prometheus_url, accepted=accepted):
        yield
    eventually(lambda: len(rules(lab)) == 7 and all(map(_evaluated, rules(lab))), "the rules as they were")


@contextmanager
def prometheus_config(lab: LabState, edit: Edit) -> Iterator[None]:
    with _edited(lab.prometheus_config_path, edit, lab.prometheus_url, accepted=True):
        yield


@contextmanager
def alertmanager_config(lab: LabState, edit: Edit, *, accepted: bool = True) -> Iterator[None]:
    with _edited(lab.alertmanager_config_path, edit, lab.alertmanager_url, accepted=accepted):
        yield


@contextmanager
def silence(
    lab: LabState,
    *matchers: tuple[str, str],
    regex: bool = False,
    begins_in: timedelta = timedelta(seconds=-1),
) -> Iterator[None]:
    """A silence on these labels, in force unless it begins later."""
    begins = datetime.now(UTC) + begins_in
    wish = {
        "matchers": [{"name": n, "value": v, "isRegex": regex, "isEqual": True} for n, v in matchers],
        "startsAt": begins.isoformat(),
        "endsAt": (begins + timedelta(minutes=10)).isoformat(),
        "createdBy": "somebody",
        "comment": "maintenance",
    }
    id = ask(f"{lab.alertmanager_url}/api/v2/silences", wish)["silenceID"]
    try:
        yield
    finally:
        ask(f"{lab.alertmanager_url}/api/v2/silence/{id}", method="DELETE")


@contextmanager
def firing(lab: LabState, **labels: str) -> Iterator[None]:
    """An alert that fires in Alertmanager."""
    post = f"{lab.alertmanager_url}/api/v2/alerts"

    def held() -> bool:
        name = quote(f'alertname="{labels["alertname"]}"')
        return bool(ask(f"{lab.alertmanager_url}/api/v2/alerts?filter={name}"))

    ask(post, [{"labels": labels}])
    try:
        eventually(held, "Alertmanager holds the alert")
        yield
    finally:
        ask(post, [{"labels": labels, "endsAt": datetime.now(UTC).isoformat()}])
        eventually(lambda: not held(), "the alert is gone")


@contextmanager
def service(lab: LabState, **behaviour: Any) -> Iterator[None]:
    """The billing service behaving otherwise: see `opsconsole.lab.service.traffic.Behaviour`."""
    state = f"{lab.service_url}/lab/state"
    before = ask(state, behaviour, token=lab.api_key)
    try:
        yield
    finally:
        ask(state, before, token=lab.api_key)


@contextmanager
def service_down(lab: LabState) -> Iterator[None]:
    """The billing service ended, and started again on the same port."""
    parts.end(lab, ["service"])
    try:
        target_is(lab, "down")
        yield
    finally:
        versions = lab.prometheus_version, lab.alertmanager_version
        started = parts.spawn(lab, "service", parts.commands(lab, servers.find(*versions))["service"])
        eventually(
            lambda: processes.listens(started.pid, int(lab.service_url.rpartition(":")[2])), "it listens"
        )
        target_is(lab, "up")


@contextmanager
def dashboard(lab: LabState, edit: Edit) -> Iterator[None]:
    """The dashboard saved with another JSON."""
    url = f"{lab.grafana_url}/api/dashboards"
    before = ask(f"{url}/uid/billing-metrics", token=lab.grafana_token)["dashboard"]
    after = edit(json.dumps(before))
    assert json.loads(after) != before, "the edit changes nothing"
    ask(f"{url}/db", {"dashboard": json.loads(after), "overwrite": True}, token=lab.grafana_token)
    try:
        yield
    finally:
        ask(f"{url}/db", {"dashboard": before, "overwrite": True}, token=lab.grafana_token)


def replaced(old: str, new: str, count: int = -1) -> Edit:
    """An edit that puts `new` in the place of `old`."""
    return lambda text: text.replace(old, new, count)


@contextmanager
def dropped(lab: LabState, metric: str) -> Iterator[None]:
    """Prometheus drops a metric that it scrapes, and has forgotten the last two scrapes of it."""
    drop = f"metric_relabel_configs: [{{source_labels: [__name__], regex: {metric}, action: drop}}]"
    recent = f"last_over_time({metric}[3s])"
    with prometheus_config(lab, replaced("    relabel_configs:", f"    {drop}\n    relabel_configs:")):
        eventually(lambda: not queried(lab, recent), "the metric is not scraped")
        yield
    eventually(lambda: queried(lab, recent), "the metric is scraped again")
