"""What is proven of loaded rules and panels by the series that there are, and what is not."""

from typing import Literal, cast

import pytest

from opsconsole.clients.prometheus import Prometheus
from opsconsole.clients.prometheus import Rule as Loaded
from opsconsole.errors import Nonsense
from opsconsole.rehearse import known as known_module
from opsconsole.rehearse.known import Known
from opsconsole.rehearse.model import Panel, Rule
from opsconsole.rehearse.schema import Metric, Schema
from tests.rehearse.worlds import world

TARGET = {"job": "rsolv-platform", "instance": "a:1"}
KNOWN = world(
    {"__name__": "paid", "plan": "pro", **TARGET},
    {"__name__": "paid", "plan": "pro", "coupon": "x", **TARGET},
    {"__name__": "failed", "code": "declined", **TARGET},
    {"__name__": "took_bucket", "le": "1", **TARGET},
    {"__name__": "took_sum", **TARGET},
    {"__name__": "took_count", **TARGET},
    {"__name__": "sum_by_plan", "plan": "pro"},
)


def kinds(known: Known, query: str) -> set[str]:
    return {reason.kind for reason in known.never(query)}


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("missing", "no-metric"),
        ("sum(rate(missing[5m])) > 1", "no-metric"),
        ("max_over_time(missing[1h:1m])", "no-metric"),
        ("missing or gone", "no-metric"),
        ("paid and missing", "no-metric"),
        ("missing unless paid", "no-metric"),
        ("missing > missing offset 1d", "no-metric"),
        ("took", "bare-histogram"),
        ('paid{reason="x"}', "no-label"),
        ('paid{reason!=""}', "no-label"),
        ('paid{reason=~"a|b"}', "no-label"),
        ('paid{reason!~"|a"}', "no-label"),
        ("paid and failed", "sides-never-match"),
        ("sum by (plan) (paid) / sum(paid)", "label-aggregated-away"),
        ("paid and hour() > 9", "sides-never-match"),
        ("histogram_quantile(0.9, sum by (job) (rate(took_bucket[5m])))", "label-aggregated-away"),
    ],
)
def test_never(query: str, kind: str) -> None:
    assert kinds(KNOWN, query) == {kind}


@pytest.mark.parametrize(
    "query",
    [
        "paid",
        'paid{plan="not seen yet"}',
        'paid{reason=""}',
        'paid{reason!="x"}',
        '{job="elsewhere"}',
        '{__name__=~"miss.*"}',
        "missing offset 1d",
        "missing offset 1d unless missing",
        "missing or missing offset 5m",
        "max_over_time(missing[1h:] offset 1d)",
        "ALERTS",
        "absent(missing)",
        "missing or paid",
        "paid unless missing",
        "paid and ignoring (plan, code, coupon) failed",
        "sum(paid) and hour() > 9",
    ],
)
def test_never_is_not_said_where_it_is_not_proven(query: str) -> None:
    assert KNOWN.never(query) == []


def test_what_rests_on_metrics_that_are_gone() -> None:
    assert kinds(KNOWN.without(["paid"]), "sum(paid) > 1") == {"no-metric"}
    assert kinds(KNOWN.without(["took_bucket"]), "rate(took_bucket[5m])") == {"no-metric"}
    for alive in ("absent(paid)", "paid or failed", "failed > 1", "paid offset 1d unless paid"):
        assert KNOWN.without(["paid"]).never(alive) == []
    assert KNOWN.never("sum(paid) > 1") == []


def test_series_and_values() -> None:
    assert KNOWN.has_series("paid")
    assert not KNOWN.has_series("missing")
    assert KNOWN.values("paid", "coupon") == {"x"}
    assert KNOWN.values("missing", "coupon") == frozenset()


def test_what_is_not_promql_is_refused() -> None:
    with pytest.raises(Nonsense):
        KNOWN.never("foo(")


async def test_of_the_recording_rules_those_are_asked_for_that_something_rests_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Rule] = []

    async def from_environment(prometheus: object, rules: list[Rule], panels: list[Panel]) -> Schema:
        asked.extend(rules)
        gone = Metric(name="raw", series=({"job": "a"},), last_seen=1.0)
        return Schema(origin="environment", metrics={"raw": gone}, recorded=frozenset(["b", "a"]))

    monkeypatch.setattr(known_module, "from_environment", from_environment)
    rules = [
        loaded("alerting", "A", "a > 1"),
        loaded("recording", "a", "sum(b)"),
        loaded("recording", "b", "raw"),
        loaded("recording", "c", "elsewhere"),
    ]
    known = await known_module.known(cast(Prometheus, None), rules, ["up"])
    assert sorted(rule.name for rule in asked) == ["A", "a", "b"]
    assert known.recorded.keys() == {"a", "b"}
    assert known.never(rules[0]) == [], "what is gone was there: `scraped_no_longer` tells"


async def test_nothing_is_asked_for_nothing() -> None:
    assert (await known_module.known(cast(Prometheus, None))).schema.metrics == {}


def loaded(kind: Literal["alerting", "recording"], name: str, expr: str) -> Loaded:
    return Loaded(
        kind=kind,
        name=name,
        expr=expr,
        for_seconds=0.0,
        keep_firing_for_seconds=0.0,
        labels={},
        annotations={},
        state="",
        health="ok",
        last_error="",
        last_evaluation=0.0,
        evaluation_seconds=0.0,
        group="g",
        file="f",
        interval_seconds=60.0,
        alerts=[],
    )
