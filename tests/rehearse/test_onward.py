"""Alerts that could fire and would reach nobody, by the configuration and the alerts of an Alertmanager."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from opsconsole.clients.alertmanager import Alert, Alertmanager
from opsconsole.clients.prometheus import Prometheus, Rule
from opsconsole.clients.relabelling import Outgoing, Step
from opsconsole.clients.routing import AlertmanagerConfig
from opsconsole.rehearse.model import Warned
from opsconsole.rehearse.onward import onward_warnings

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CONFIG = """
route:
  receiver: people
  routes:
    - {matchers: [team="void"], receiver: nobody}
    - {matchers: [team=~"night|both"], receiver: people, mute_time_intervals: [always], continue: true}
    - {matchers: [team="night"], receiver: nobody}
    - {matchers: [team="both"], receiver: people}
    - {matchers: [team="past"], receiver: people, active_time_intervals: [last-year]}
    - {matchers: [team="weekend"], receiver: people, mute_time_intervals: [weekdays]}
    - {matchers: [team="split"], receiver: people, mute_time_intervals: [weekdays, weekends]}
    - {matchers: [team="zones"], receiver: people, mute_time_intervals: [weekdays, berlin]}
receivers:
  - name: people
    email_configs: [{to: a@example.com}]
  - name: nobody
time_intervals:
  - {name: always, time_intervals: [{times: [{start_time: "00:00", end_time: "24:00"}]}]}
  - {name: last-year, time_intervals: [{years: ["2025"]}]}
  - {name: weekdays, time_intervals: [{weekdays: ["monday:friday"]}]}
  - {name: weekends, time_intervals: [{weekdays: [saturday, sunday]}]}
  - {name: berlin, time_intervals: [{weekdays: [saturday, sunday], location: Europe/Berlin}]}
inhibit_rules:
  - {source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [team]}
  - {source_matchers: [alertname="Watchdog"], target_matchers: [severity="info"]}
"""


class Servers:
    """Both servers, as far as they are asked."""

    url = "http://127.0.0.1:9093"

    def __init__(self, firing: Mapping[str, timedelta] | None = None, **others: Any) -> None:
        self.firing = firing or {}
        self.others = others

    async def alertmanagers(self) -> list[str]:
        return cast("list[str]", self.others.get("alertmanagers", [self.url]))

    async def settling_seconds(self) -> float:
        return float(self.others.get("settling", 0.0))

    async def outgoing(self) -> Outgoing:
        return Outgoing({"cluster": "eu"}, self.others.get("steps", []))

    async def rules(self) -> list[Rule]:
        return cast("list[Rule]", self.others.get("rules", []))

    async def config(self) -> AlertmanagerConfig:
        return AlertmanagerConfig.parse(CONFIG)

    async def alerts(self) -> list[Alert]:
        return [
            Alert(
                labels={"alertname": name, "severity": "critical", "team": "a"},
                annotations={},
                starts_at=(NOW - age).timestamp(),
                ends_at=0.0,
                state="active",
                receivers=[],
                silenced_by=[],
                inhibited_by=[],
                muted_by=[],
                fingerprint="",
            )
            for name, age in self.firing.items()
        ]

    async def silences(self) -> list[dict[str, Any]]:
        return cast("list[dict[str, Any]]", self.others.get("silences", []))

    async def now(self) -> datetime:
        return NOW


async def told(servers: Servers, **labels: str) -> list[Warned]:
    found = await onward_warnings(cast(Alertmanager, servers), cast(Prometheus, servers), {"A": labels})
    return found.get("A", [])


@pytest.mark.parametrize("team", ["a", "weekend", "zones", "both"])
async def test_an_alert_that_reaches_people(team: str) -> None:
    assert await told(Servers({"Other": timedelta(hours=2)}), team=team, severity="warning") == []


async def test_a_receiver_without_a_target() -> None:
    (warned,) = await told(Servers(), team="void")
    assert warned.kind == "reaches-nobody"
    assert warned.summary == 'it is routed to nobody, which notifies no one (root → team="void")'


@pytest.mark.parametrize(
    ("team", "by"), [("night", "always"), ("past", "last-year"), ("split", "weekdays, weekends")]
)
async def test_a_route_that_is_muted_at_all_times(team: str, by: str) -> None:
    (warned,) = await told(Servers(), team=team)
    assert warned.kind == "always-inhibited"
    assert warned.summary == f"its route is muted at all times, by {by}"


async def test_what_relabelling_drops_or_brings_elsewhere() -> None:
    drop = Step(action="drop", source_labels=["cluster"], separator=";", regex="eu")
    (warned,) = await told(Servers(steps=[drop]))
    assert warned.kind == "reaches-nobody"
    assert "alert_relabel_configs" in warned.summary
    moved = Step(target_label="team", replacement="void")
    (warned,) = await told(Servers(steps=[moved]), team="a")
    assert "routed to nobody" in warned.summary


async def test_a_prometheus_that_sends_to_nobody() -> None:
    (warned,) = await told(Servers(alertmanagers=[]), team="a")
    assert "knows no Alertmanager" in warned.summary
    assert await told(Servers(alertmanagers=[], settling=5.0), team="a") == [], "it has only just started"


async def test_an_inhibition_by_what_has_fired_for_long() -> None:
    (warned,) = await told(Servers({"Old": timedelta(days=3)}), severity="warning", team="a")
    assert warned.kind == "always-inhibited"
    assert warned.summary.startswith("it is inhibited by Old, which has fired for 3 d: ")
    assert await told(Servers({"Old": timedelta(days=3)}), severity="warning", team="b") == []


async def test_an_inhibition_by_what_fires_by_its_expression() -> None:
    watchdog = rule("Watchdog", "vector(1)")
    (warned,) = await told(Servers({"Watchdog": timedelta(0)}, rules=[watchdog]), severity="info", team="b")
    assert "by Watchdog, which always fires" in warned.summary
    for expr in ("up == 0", "hour() > 9", "not PromQL"):
        reads = rule("Watchdog", expr)
        assert await told(Servers({"Watchdog": timedelta(0)}, rules=[reads]), severity="info") == []


@pytest.mark.parametrize(("days", "count"), [(400, 1), (7, 0)])
async def test_a_silence_that_is_forgotten(days: int, count: int) -> None:
    silence = {
        "id": "1",
        "createdBy": "kim",
        "comment": "noisy",
        "startsAt": (NOW - timedelta(days=1)).isoformat(),
        "endsAt": (NOW + timedelta(days=days)).isoformat(),
        "matchers": [{"name": "team", "value": "a", "isRegex": False}],
    }
    found = await told(Servers(silences=[silence]), team="a")
    assert [warned.summary for warned in found] == ["it is silenced until 2027-04-06 by kim: noisy"] * count


async def test_of_what_cannot_be_told_exactly_nothing_is_said() -> None:
    unclear = Step(action="lowercase", source_labels=["team"], target_label="team")
    assert await told(Servers(steps=[unclear]), team="Ä") == []


def rule(name: str, expr: str) -> Rule:
    return Rule(
        kind="alerting",
        name=name,
        expr=expr,
        for_seconds=0.0,
        keep_firing_for_seconds=0.0,
        labels={},
        annotations={},
        state="firing",
        health="ok",
        last_error="",
        last_evaluation=0.0,
        evaluation_seconds=0.0,
        group="g",
        file="f",
        interval_seconds=60.0,
        alerts=[],
    )
