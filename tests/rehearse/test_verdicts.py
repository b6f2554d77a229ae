"""Verdicts on alerts and panels, by the real rule engine."""

from collections.abc import Sequence

import pytest

from opsconsole.lab.servers import Servers
from opsconsole.rehearse import dead
from opsconsole.rehearse.load import guessed
from opsconsole.rehearse.model import Panel, Reason, Rehearsal, Rule, Verdict, Word, exit_code
from opsconsole.rehearse.promtool import Promtool
from opsconsole.rehearse.schema import Metric, Schema
from opsconsole.rehearse.verdicts import rehearse
from tests.rehearse.search.expressions import LIVE

SERIES = {"job": "shop", "instance": "10.0.0.1:80", "status": "success"}
KNOWN = Schema(
    origin="environment",
    metrics={
        name: Metric(
            name=name, kind="counter", series=(SERIES,), possible=frozenset(SERIES), always=frozenset(SERIES)
        )
        for name in ("paid_total", "asked_total")
    }
    | {"took_seconds": Metric(name="took_seconds", declared=True)},
    scrape_interval_seconds=15.0,
)


@pytest.fixture
def promtool(servers: Servers) -> Promtool:
    return Promtool(servers.promtool)


def alert(name: str, expr: str, for_seconds: float = 0.0) -> Rule:
    return Rule(alert=name, expr=expr, for_seconds=for_seconds, group="g")


async def rehearsed(
    promtool: Promtool,
    rules: Sequence[Rule],
    schema: Schema,
    panels: Sequence[Panel] = (),
    **shown: bool | str,
) -> tuple[Rehearsal, dict[str, Verdict]]:
    async def shows(query: str) -> bool | str:
        return shown[query]

    told: list[Verdict] = []
    done = await rehearse(
        rules, panels, schema, promtool, on_verdict=told.append, shows=shows if shown else None
    )
    assert sorted(map(id, told)) == sorted(map(id, done.verdicts))
    return done, {verdict.subject: verdict for verdict in done.verdicts}


async def test_an_alert_has_one_of_four_verdicts(promtool: Promtool) -> None:
    rules = [
        alert("Alive", 'rate(paid_total{status="failed"}[5m]) > 1', 300.0),
        alert("Dead", 'rate(paid_total{stauts="failed"}[5m]) > 1'),
        alert("Unfed", "rate(sent_total[5m]) > 1"),
        alert("Undecided", "histogram_fraction(0, 1, rate(took_seconds[5m])) > 0.5"),
        Rule(record="paid:rate", expr="rate(paid_total[5m])", group="g"),
        alert("Recorded", "paid:rate > 100"),
    ]
    done, by_name = await rehearsed(promtool, rules, KNOWN)
    assert [verdict.subject for verdict in done.verdicts] == [rule.alert for rule in rules if rule.alert]
    assert {name: verdict.word for name, verdict in by_name.items()} == {
        "Alive": Word.ALIVE,
        "Dead": Word.DEAD,
        "Unfed": Word.UNFED,
        "Undecided": Word.UNDECIDED,
        "Recorded": Word.ALIVE,
    }
    witness = by_name["Alive"].witness
    assert witness is not None
    assert witness.fired.firing_at is not None
    assert 'status: "failed"' in witness.test or 'status="failed"' in witness.test
    assert by_name["Dead"].reasons[0].correction.count("status") == 1
    assert "sent_total" in by_name["Unfed"].because
    assert "histogram_fraction" in by_name["Undecided"].tried
    assert not any(verdict.guess for verdict in done.verdicts)
    assert exit_code(done) == 1


async def test_what_rests_on_a_guess_says_so(promtool: Promtool) -> None:
    rules = [alert("A", "paid_total > 5"), alert("B", "paid_total > 5 and hour() > 8")]
    done, by_name = await rehearsed(promtool, rules, guessed(rules))
    assert by_name["A"].word is Word.ALIVE
    assert by_name["B"].word is Word.DEAD
    assert all(verdict.guess for verdict in done.verdicts)


async def test_what_is_not_promql_is_dead_only_if_promtool_refuses_it_too(promtool: Promtool) -> None:
    rules = [alert("Broken", "sum(paid_total > 5"), alert("Newer", "paid_total > 1_000")]
    _, by_name = await rehearsed(promtool, rules, KNOWN)
    assert by_name["Broken"].word is Word.DEAD
    assert by_name["Broken"].reasons[0].kind == "not-promql"
    refused = promtool.version.startswith("2.")
    assert by_name["Newer"].word is (Word.DEAD if refused else Word.UNDECIDED)


async def test_a_panel_has_one_of_four_verdicts(promtool: Promtool) -> None:
    panels = [
        Panel(title="Data", queries=("sum(paid_total)",)),
        Panel(title="Quiet", queries=('sum(rate(paid_total{status="failed"}[5m]))',)),
        Panel(title="Never", queries=("sum(paid_total)", 'sum(paid_total{stauts="failed"})')),
        Panel(title="Error", queries=("sum(asked_total)",)),
        Panel(title="Open", queries=("histogram_avg(took_seconds)",)),
        Panel(title="Another language", queries=("topk_last(3, paid_total)",)),
    ]
    shown: dict[str, bool | str] = {
        "sum(paid_total)": True,
        'sum(rate(paid_total{status="failed"}[5m]))': False,
        'sum(paid_total{stauts="failed"})': False,
        "sum(asked_total)": "the server refuses it",
        "histogram_avg(took_seconds)": False,
        "topk_last(3, paid_total)": False,
    }
    _, by_name = await rehearsed(promtool, [], KNOWN, panels, **shown)
    assert {name: str(verdict.word) for name, verdict in by_name.items()} == {
        "Data": "data",
        "Quiet": "quiet",
        "Never": "never",
        "Error": "error",
        "Open": "undecided",
        "Another language": "error",
    }


async def test_every_witness_passes_in_this_version(promtool: Promtool) -> None:
    """Each is run by promtool before it is given; here in all the versions that the tests are run with."""
    names = [name for name in LIVE if name not in ("against last week", "long age", "other alerts")]
    rules = [alert(name, LIVE[name], 300.0) for name in names]
    done, by_name = await rehearsed(promtool, rules, Schema(origin="guess"))
    assert {name for name, verdict in by_name.items() if verdict.word is not Word.ALIVE} == set()
    assert all(
        verdict.witness and verdict.witness.promtool_version == promtool.version for verdict in done.verdicts
    )


async def test_nothing_to_rehearse_is_not_all_well(promtool: Promtool) -> None:
    done, _ = await rehearsed(promtool, [], KNOWN)
    assert exit_code(done) == 3


async def test_a_defect_of_ours_takes_nothing_from_the_others(
    promtool: Promtool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(rule: Rule, *_: object) -> list[Reason]:
        if rule.alert == "A":
            raise ValueError("oh")
        return []

    monkeypatch.setattr(dead, "prove", broken)
    rules = [alert("A", "histogram_avg(paid_total) > 5"), alert("B", "paid_total > 5")]
    _, by_name = await rehearsed(promtool, rules, KNOWN)
    assert by_name["A"].word is Word.UNDECIDED
    assert "a defect of opsconsole, please report it" in by_name["A"].tried
    assert by_name["B"].word is Word.ALIVE
