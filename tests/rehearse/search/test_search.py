"""The incidents that are built from expressions, decided by the real rule engine."""

import pytest

from opsconsole.lab.servers import PAIRS, find
from opsconsole.rehearse.model import Candidate, Rule
from opsconsole.rehearse.packing import observe
from opsconsole.rehearse.promtool import Promtool
from opsconsole.rehearse.schema import Metric, Schema
from opsconsole.rehearse.search import candidates, resting
from tests.rehearse.search.expressions import LIVE

GUESS = Schema(origin="guess")


def some(
    rule: Rule, schema: Schema = GUESS, recorded: dict[str, list[Rule]] | None = None
) -> list[Candidate]:
    return [one for seed in range(4) for one in candidates(rule, schema, recorded or {}, seed=seed)]


@pytest.fixture(scope="module")
def promtool() -> Promtool:
    """The newest: `test_verdicts` has the same expressions decided by all."""
    return Promtool(find(prometheus_version=PAIRS[-1].prometheus).promtool)


async def test_each_expression_is_fired_by_an_incident(promtool: Promtool) -> None:
    left = {name: some(Rule(alert="A", expr=expr, for_seconds=300.0)) for name, expr in LIVE.items()}
    for first, last in ((0, 1), (1, 4), (4, 100)):
        flat = [(name, one) for name, those in left.items() for one in those[first:last]]
        seen = await observe(promtool, [one for _, one in flat])
        for (name, _), what in zip(flat, seen, strict=True):
            if what.firing_at is not None:
                left.pop(name, None)
    assert left.keys() == set()


async def test_the_first_incident_is_calm_before_and_after(promtool: Promtool) -> None:
    rule = Rule(alert="A", expr=LIVE["fraction of itself"], for_seconds=900.0)
    first = next(candidates(rule, GUESS, {}))
    (seen,) = await observe(promtool, [first])
    assert seen.pending_at is not None
    assert seen.pending_at >= first.incident.before_seconds
    assert seen.firing_at == seen.pending_at + 900.0
    assert seen.resolved_at is not None
    assert first.incident.story == '27 of 100 paid_total in 5 min have status="failed", for 15 min'


def known(name: str, *series: dict[str, str]) -> Metric:
    labels = [frozenset(one) for one in series]
    return Metric(
        name=name,
        kind="counter",
        series=series,
        possible=frozenset().union(*labels),
        always=frozenset.intersection(*labels),
    )


PAID = known(
    "paid_total",
    {"job": "billing", "instance": "10.0.0.1:80", "status": "success", "customer_id": "7"},
    {"job": "billing", "instance": "10.0.0.2:80", "status": "success", "customer_id": "8"},
)
ENVIRONMENT = Schema(origin="environment", metrics={"paid_total": PAID})


def test_series_that_exist_are_taken_as_they_are() -> None:
    first = next(candidates(Rule(alert="A", expr="rate(paid_total[5m]) > 1"), ENVIRONMENT, {}))
    (key,) = first.incident.courses
    assert {name: value for name, value in key if name != "__name__"} in PAID.series
    assert first.incident.brought == ()


def test_a_value_that_was_never_seen_is_brought_and_told() -> None:
    rule = Rule(alert="A", expr='rate(paid_total{status="failed"}[5m]) > 1')
    first = next(candidates(rule, ENVIRONMENT, {}))
    (key,) = first.incident.courses
    assert dict(key)["status"] == "failed"
    assert dict(key)["customer_id"] in ("7", "8")
    assert first.incident.brought == ('paid_total{status="failed"}',)


async def test_recording_rules_come_first_and_in_order(promtool: Promtool) -> None:
    recorded = {
        "b:ratio": [Rule(record="b:ratio", expr='a:rate{kind="bad"} / ignoring (kind) a:rate{kind="all"}')],
        "a:rate": [
            Rule(record="a:rate", expr="rate(bad_total[5m])", labels={"kind": "bad"}),
            Rule(record="a:rate", expr="rate(all_total[5m])", labels={"kind": "all"}),
        ],
    }
    rule = Rule(alert="A", expr="b:ratio > 0.1", for_seconds=300.0)
    assert [one.record for one in resting(rule, recorded)] == ["a:rate", "a:rate", "b:ratio"]
    seen = await observe(promtool, some(rule, recorded=recorded))
    assert any(one.firing_at is not None for one in seen)


def test_rules_that_read_themselves_end() -> None:
    recorded = {"a": [Rule(record="a", expr="b + a")], "b": [Rule(record="b", expr="a * 2")]}
    assert {one.record for one in resting(Rule(alert="A", expr="a > 1"), recorded)} == {"a", "b"}
    some(Rule(alert="A", expr="a > 1"), recorded=recorded)


@pytest.mark.parametrize("seed", range(4))
def test_the_same_seed_builds_the_same(seed: int) -> None:
    rule = Rule(alert="A", expr=LIVE["two windows"])
    assert list(candidates(rule, GUESS, {}, seed=seed)) == list(candidates(rule, GUESS, {}, seed=seed))
