"""What is rehearsed: what is chosen of it, and what is said of the way of its alerts to people."""

from pathlib import Path

import pytest

from opsconsole.cli import material
from opsconsole.cli.material import Material, chosen, read
from opsconsole.errors import ConfigError, Unreachable, UsageError
from opsconsole.rehearse.model import Panel, Rule, Warned
from opsconsole.rehearse.schema import Schema
from opsconsole.session import Clients
from tests import sample_rehearsal as sample

RULES = [
    Rule(alert="FailuresHigh", expr="a"),
    Rule(record="a", expr="b"),
    Rule(alert="FailuresHighest", expr="a"),
]
PANELS = [Panel(title="Failures by plan", queries=("a",)), Panel(title="Revenue", queries=("b",))]


@pytest.mark.parametrize(
    ("names", "alerts", "panels"),
    [
        ([], ["FailuresHigh", "FailuresHighest"], ["Failures by plan", "Revenue"]),
        (["FailuresHigh"], ["FailuresHigh"], []),
        (["failures"], ["FailuresHigh", "FailuresHighest"], ["Failures by plan"]),
        (["highest", "Revenue"], ["FailuresHighest"], ["Revenue"]),
    ],
    ids=["all", "the exact name", "a part of it", "several"],
)
def test_recording_rules_stay_with_what_is_chosen(
    names: list[str], alerts: list[str], panels: list[str]
) -> None:
    some, shown = chosen(RULES, PANELS, names)
    assert [rule.alert for rule in some if rule.alert] == alerts
    assert [panel.title for panel in shown] == panels
    assert RULES[1] in some


def test_a_name_that_none_has_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="did you mean 'Revenue'"):
        chosen(RULES, PANELS, ["Revenu!"])


def test_files_that_hold_only_recording_rules_hold_nothing_to_rehearse(tmp_path: Path) -> None:
    file = tmp_path / "recorded.yml"
    file.write_text("groups: [{name: a, rules: [{record: b, expr: c}]}]")
    with pytest.raises(ConfigError, match=r"recorded\.yml: it holds no alert and no panel"):
        read([file], [])


@pytest.fixture
def with_alertmanager() -> Material:
    clients = Clients({"prometheus": object(), "alertmanager": object()}, {})
    return Material([], [], Schema(origin="environment"), clients)


async def test_warnings_about_the_way_to_people_stand_beside_the_right_verdict(
    with_alertmanager: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, dict[str, str]] = {}

    async def found(
        alertmanager: object, prometheus: object, fired: dict[str, dict[str, str]]
    ) -> dict[str, list[Warned]]:
        asked.update(fired)
        return {"1": [Warned(kind="reaches-nobody", summary="no receiver")]}

    monkeypatch.setattr(material, "onward_warnings", found)
    before = sample.rehearsal(sample.DEAD, sample.ALIVE, sample.DATA)
    after = await with_alertmanager.with_onward(before, lambda text: None)
    assert asked == {"1": {"severity": "warning", "alertname": "PaymentFailuresHigh"}}
    dead, alive, data = after.verdicts
    assert (dead, data) == (sample.DEAD, sample.DATA)
    assert [warned.kind for warned in alive.warnings] == ["reaches-nobody"]


async def test_an_alertmanager_that_cannot_be_seen_takes_no_verdict_away(
    with_alertmanager: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unseen(*servers: object) -> dict[str, list[Warned]]:
        raise Unreachable("connection refused", where="alertmanager")

    monkeypatch.setattr(material, "onward_warnings", unseen)
    said: list[str] = []
    before = sample.rehearsal(sample.ALIVE)
    assert await with_alertmanager.with_onward(before, said.append) == before
    assert said == ["whether the alerts reach anyone could not be seen: alertmanager: connection refused"]
