"""What the running Alertmanager does with posted alerts, against what is said of them here."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from opsconsole.clients.routing import AlertmanagerConfig
from opsconsole.clients.silences import silenced
from opsconsole.lab import processes, relocate
from opsconsole.lab.servers import Pair, Servers
from tests.clients.generated import Generator, text

pytestmark = pytest.mark.servers

WITHIN_SECONDS = 120.0
CANARY_RULE = {"source_matchers": ['canary="source"'], "target_matchers": ['canary="target"']}


class Running:
    """An Alertmanager of our own, and the three calls that these tests need."""

    def __init__(self, url: str) -> None:
        self.url = url

    def config(self) -> AlertmanagerConfig:
        return AlertmanagerConfig.parse(self.get("status")["config"]["original"])

    def post(self, what: str, body: Any) -> Any:
        request = urllib.request.Request(f"{self.url}/api/v2/{what}", json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def get(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/v2/{what}", timeout=60) as answer:
            return json.load(answer)


@contextmanager
def alertmanager(servers: Servers, config: Mapping[str, Any], folder: Path) -> Iterator[Running]:
    file = folder / "alertmanager.yml"
    file.write_text(text(dict(config)), encoding="utf-8")
    with processes.free_ports(1) as (port,):
        process = processes.spawn(
            [
                *relocate.command(servers.alertmanager),
                f"--config.file={file}",
                f"--storage.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            log=folder / "alertmanager.log",
            die_with_parent=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            asyncio.run(processes.wait_ready(f"{url}/-/ready", process))
            yield Running(url)
        finally:
            process.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)


def alerts(running: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = running.get("alerts")
    return found


@pytest.mark.parametrize("seed", range(6))
def test_inhibited_by(seed: int, pair: Pair, servers: Servers, tmp_path: Path) -> None:
    generator = Generator(
        seed,
        utf8=pair.alertmanager != "0.25",
        values=("critical", "warning", "db"),
        regexes=("c.*", "db|warning"),
    )
    rules = [generator.inhibit_rule() for _ in range(6)] + [CANARY_RULE]
    config = generator.config() | {"inhibit_rules": rules}
    posted = [{**generator.labels(), "alertname": f"a{number}"} for number in range(30)]
    posted += [{"canary": "source", "alertname": "canary"}, {"canary": "target", "alertname": "canary"}]
    with alertmanager(servers, config, tmp_path) as running:
        running.post("alerts", [{"labels": labels} for labels in posted])
        wait_for(lambda: any(a["status"]["inhibitedBy"] for a in alerts(running) if "canary" in a["labels"]))
        seen = alerts(running)
        ours = running.config()
    assert len(seen) == len(posted)
    assert_same_inhibitions(ours, seen)


def test_alerts_on_both_sides_do_not_inhibit_each_other(pair: Pair, servers: Servers, tmp_path: Path) -> None:
    both = {"source_matchers": ['x=~"1|2"'], "target_matchers": ['x=~"2|3"'], "equal": ["gone"]}
    config = {"route": {"receiver": "r"}, "receivers": [{"name": "r"}], "inhibit_rules": [both, CANARY_RULE]}
    posted = [{"x": x, "n": n} for x in "123" for n in "ab"] + [{"canary": "source"}, {"canary": "target"}]
    with alertmanager(servers, config, tmp_path) as running:
        running.post("alerts", [{"labels": labels} for labels in posted])
        wait_for(lambda: any(a["status"]["inhibitedBy"] for a in alerts(running) if "canary" in a["labels"]))
        seen = alerts(running)
        ours = running.config()
    assert_same_inhibitions(ours, seen)
    inhibited = sorted(a["labels"]["x"] for a in seen if a["status"]["inhibitedBy"] and "x" in a["labels"])
    assert inhibited == ["2", "2", "3", "3"] or (pair.alertmanager == "0.33" and inhibited == ["3", "3"])


def assert_same_inhibitions(ours: AlertmanagerConfig, seen: Sequence[Mapping[str, Any]]) -> None:
    active = [alert["labels"] for alert in seen]
    fingerprints = {json.dumps(alert["labels"], sort_keys=True): alert["fingerprint"] for alert in seen}
    for alert in seen:
        expected = ours.inhibited(alert["labels"], active)
        by = {fingerprints[json.dumps(dict(each.source), sort_keys=True)] for each in expected}
        theirs = set(alert["status"]["inhibitedBy"])
        assert bool(theirs) == bool(by) or not any(each.certain for each in expected), alert
        assert theirs <= by, alert
        could = ours.could_inhibit(alert["labels"], active)
        assert all(each in could for each in expected), alert


@pytest.mark.parametrize("seed", range(100, 104))
def test_the_running_configuration_reads_as_the_file(
    seed: int, pair: Pair, servers: Servers, tmp_path: Path
) -> None:
    generator = Generator(seed, utf8=pair.alertmanager != "0.25")
    config = generator.config()
    with alertmanager(servers, config, tmp_path) as running:
        theirs = running.config()
    ours = AlertmanagerConfig.parse(text(config))
    for labels in [generator.labels() for _ in range(50)]:
        mine, running_ones = ours.routes(labels), theirs.routes(labels)
        assert [timing(route) for route in mine] == [timing(route) for route in running_ones]


def timing(route: Any) -> tuple[Any, ...]:
    return route.receiver, route.group_by, route.group_wait_seconds, route.repeat_interval_seconds


def test_silenced(servers: Servers, tmp_path: Path) -> None:
    config = {"route": {"receiver": "r"}, "receivers": [{"name": "r"}]}
    now = datetime.now(UTC)
    matchers = [
        [{"name": "team", "value": "db|web", "isRegex": True, "isEqual": True}],
        [{"name": "team", "value": "web", "isRegex": False, "isEqual": False}, matcher("n", "2")],
        [{"name": "team", "value": "d.*", "isRegex": True, "isEqual": False}, matcher("n", "3")],
        [matcher("n", "1")],
    ]
    begins = [now, now, now, now + timedelta(hours=1)]
    posted = [{"team": team, "n": n} for team in ("db", "web", "dbx", "") for n in "123"]
    with alertmanager(servers, config, tmp_path) as running:
        for each, begin in zip(matchers, begins, strict=True):
            running.post("silences", silence(each, begin))
        running.post("alerts", [{"labels": labels} for labels in posted])
        wait_for(lambda: len(alerts(running)) == len(posted))
        wait_for(lambda: any(alert["status"]["silencedBy"] for alert in alerts(running)))
        seen, silences, at = alerts(running), running.get("silences"), datetime.now(UTC)
    for alert in seen:
        expected = {each.id for each in silenced(alert["labels"], silences, at)}
        assert set(alert["status"]["silencedBy"]) == expected, alert["labels"]


def matcher(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value, "isRegex": False, "isEqual": True}


def silence(matchers: Sequence[Mapping[str, Any]], begins: datetime) -> dict[str, Any]:
    ends = begins + timedelta(hours=2)
    return {
        "matchers": matchers,
        "startsAt": begins.isoformat(),
        "endsAt": ends.isoformat(),
        "createdBy": "tests",
        "comment": "a test",
    }


def intervals(now: datetime) -> Iterator[dict[str, Any]]:
    """Time intervals around now: about half of them are active."""
    for zone in ("UTC", "Asia/Kolkata", "America/New_York", "Pacific/Auckland"):
        hour = f"{(now.hour + 3) % 23:02}:00"
        yield {
            "location": zone,
            "times": [{"start_time": "00:00", "end_time": hour if hour != "00:00" else "12:00"}],
        }
        yield {"location": zone, "weekdays": ["sunday:wednesday"]}
        yield {"location": zone, "weekdays": ["thursday:saturday"]}
        yield {"location": zone, "days_of_month": ["1:15", "-3:-1"]}
        yield {"location": zone, "days_of_month": ["-31:-10"]}
        yield {"location": zone, "months": ["january:june"]}
        yield {"location": zone, "months": ["7:12"], "years": ["2020:2100"]}
        yield {"location": zone, "years": ["1999"]}
    yield {}


def test_muted_by_time_intervals(
    pair: Pair, servers: Servers, tmp_path: Path, httpserver: HTTPServer
) -> None:
    told: set[str] = set()

    def hook(request: Request) -> Response:
        told.add(json.loads(request.data)["groupLabels"]["number"])
        return Response()

    httpserver.expect_request("/hook").respond_with_handler(hook)
    spans = list(intervals(datetime.now(UTC)))
    config = muting_config(spans, httpserver.url_for("/hook"))
    numbers = {str(number) for number in range(2 * len(spans))}
    with alertmanager(servers, config, tmp_path) as running:
        before = muted(running.config(), numbers)
        running.post("alerts", [{"labels": {"number": number}} for number in numbers])
        wait_for(lambda: told >= numbers - before - muted(running.config(), numbers))
        if pair.alertmanager != "0.25":  # which does not tell what it mutes
            wait_for(lambda: told | suppressed(running) == numbers)
        after = muted(running.config(), numbers)
    assert 0 < len(told) < len(numbers)
    assert numbers - (before | after) <= told <= numbers - (before & after)


def muting_config(spans: Sequence[Mapping[str, Any]], url: str) -> dict[str, Any]:
    """For each time interval a route that it mutes, and one that is active in it only."""
    routes = [
        {
            "matchers": [f'number="{2 * n + offset}"'],
            "group_by": ["number"],
            "group_wait": "0s",
            key: [f"t{n}"],
        }
        for n in range(len(spans))
        for offset, key in enumerate(("mute_time_intervals", "active_time_intervals"))
    ]
    return {
        "route": {"receiver": "r", "routes": routes},
        "receivers": [{"name": "r", "webhook_configs": [{"url": url}]}],
        "time_intervals": [{"name": f"t{n}", "time_intervals": [span]} for n, span in enumerate(spans)],
    }


def muted(config: AlertmanagerConfig, numbers: Iterable[str]) -> set[str]:
    now = datetime.now(UTC)
    return {number for number in numbers if config.muted_now(config.routes({"number": number})[0], now)}


def suppressed(running: Running) -> set[str]:
    """Of /alerts/groups alone: /alerts never tells what a time interval mutes."""
    groups = running.get("alerts/groups")
    return {group["labels"]["number"] for group in groups if group["alerts"][0]["status"]["mutedBy"]}
