"""Rules that are evaluated too slowly, too seldom, with errors, and those that are well."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from opsconsole.clients.evaluation import holds_one_scrape, ill_evaluated
from opsconsole.clients.prometheus import Prometheus, Rule, Sample
from tests.clients.test_drift import running

NOW = 1_000_000.0
WELL = running(expr="rate(failed_total[5m]) > 1", last_evaluation=NOW - 30)
ON_RECORDED = running(expr="job:failed > 1", last_evaluation=NOW - 30)
RECORDED = running(kind="recording", name="job:failed", expr="up", last_evaluation=NOW - 30, labels={})


class Server:
    """What a Prometheus would answer: its rules, one list after the other, and the series that are judged."""

    def __init__(self, rules: Sequence[list[Rule]], judged: Sequence[dict[str, str]]) -> None:
        self._rules, self._judged = list(rules), judged

    async def rules(self) -> list[Rule]:
        return self._rules.pop(0) if len(self._rules) > 1 else self._rules[0]

    async def query(self, promql: str) -> list[Sample]:
        return [Sample(labels, 1.0, NOW) for labels in self._judged]

    async def flags(self) -> dict[str, str]:
        return {"query.lookback-delta": "5m"}


async def told(
    rule: Rule, *more: Rule, later: list[Rule] | None = None, judged: Sequence[dict[str, str]] = ()
) -> list[str]:
    server = cast(Prometheus, Server([later or [rule, *more]], judged))
    found = ill_evaluated(server, [rule], [rule, *more], NOW)
    return [f"{each.subject}: {each.summary} {each.detail}" async for each in found]


def seldom(expr: str) -> Rule:
    return running(expr=expr, interval_seconds=3600.0, last_evaluation=NOW - 30)


@pytest.mark.parametrize(
    "rule",
    [
        WELL,
        running(last_evaluation=NOW - 119),
        running(last_evaluation=0.0, interval_seconds=3600.0),
        seldom("increase(failed_total[1h]) > 1"),
        seldom("max_over_time(rate(failed_total[5m])[1h:5m]) > 1"),
        seldom("time() - last_backup > 86400"),
        seldom("avg_over_time(used_bytes[5m]) > 1"),
    ],
    ids=["a rate", "busy", "to come", "as long as the interval", "a subquery", "a gauge", "an average"],
)
async def test_what_is_well(rule: Rule) -> None:
    assert await told(rule) == []


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (running(health="err", last_error="many-to-many"), "fails to evaluate: many-to-many"),
        (running(last_evaluation=NOW - 600), "was evaluated 10 min ago, though it should be every 1 min"),
        (running(last_evaluation=0.0), "has never been evaluated"),
        (seldom("rate(failed_total[5m]) > 1"), "is evaluated every 1 h, and looks back 5 min"),
    ],
    ids=["an error", "late", "never", "looks away"],
)
async def test_what_is_not(rule: Rule, words: str) -> None:
    (found,) = await told(rule)
    assert words in found


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, ""),
        ({"health": "err", "last_error": "limit"}, "job:failed: the recording rule fails to evaluate: limit "
         "without it cannot fire: Failing"),
        ({"last_evaluation": NOW - 600}, "job:failed: the recording rule was evaluated 10 min ago"),
        ({"interval_seconds": 600.0}, "Failing: rests on job:failed, which is recorded every 10 min"),
        ({"name": "job:other", "health": "err"}, ""),
    ],
    ids=["well", "fails", "late", "seldom", "another"],
)  # fmt: skip
async def test_a_recording_rule_that_an_alert_rests_on(values: dict[str, Any], words: str) -> None:
    recorded = running(**{**{name: getattr(RECORDED, name) for name in RECORDED.__struct_fields__}, **values})
    found = await told(ON_RECORDED, recorded)
    assert len(found) == bool(words)
    assert not words or found[0].startswith(words)


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        ("rate(failed_total[1m]) > 1", True),
        ("sum(irate(failed_total[30s])) > 1", True),
        ("rate(failed_total[90s]) > 1", False),
        ("max_over_time(used_bytes[1m]) > 1", False),
        ("rate(unknown_total[1m]) > 1", False),
        ("max_over_time(deriv(used_bytes[1m])[1h:1m]) > 1", True),
        ("rate(sum(failed_total)[1m:10s]) > 1", False),
    ],
)
def test_a_range_that_holds_one_scrape(expr: str, found: bool) -> None:
    every = {"failed_total": 60.0, "used_bytes": 60.0}
    told = [*holds_one_scrape([running(expr=expr)], [], every.get)]
    assert [each.subject for each in told] == ["Failing"] * found


def test_a_recording_rule_whose_range_holds_one_scrape() -> None:
    recorded = running(kind="recording", name="job:failed", expr="rate(failed_total[1m])")
    (told,) = holds_one_scrape([ON_RECORDED], [recorded], {"failed_total": 60.0}.get)
    assert told.subject == "job:failed"
    assert "scraped every 1 min" in told.summary


async def test_a_range_of_what_is_recorded_seldom_is_no_present_value() -> None:
    alert = running(expr="max_over_time(job:failed[1h]) > 1", last_evaluation=NOW - 30)
    recorded = running(kind="recording", name="job:failed", interval_seconds=600.0, last_evaluation=NOW - 30)
    assert await told(alert, recorded) == []


SLOW = running(last_evaluation=NOW - 70, group_seconds=61.0, evaluation_seconds=60.0)


@pytest.mark.parametrize(
    ("again", "said"),
    [
        (running(last_evaluation=NOW, group_seconds=62.0, evaluation_seconds=60.0),
         ["group billing: takes 1 min 2 s to evaluate and should be evaluated every 1 min"]),
        (running(last_evaluation=NOW, group_seconds=3.0), []),
    ],
    ids=["again", "once alone"],
)  # fmt: skip
async def test_a_group_that_takes_longer_than_its_interval(again: Rule, said: list[str]) -> None:
    found = await told(SLOW, later=[again])
    assert len(found) == len(said)
    assert all(each.startswith(beginning) for each, beginning in zip(found, said, strict=True))


@pytest.mark.parametrize(
    ("judged", "collide"),
    [
        ([{"job": "a", "severity": "x"}, {"job": "a", "severity": "y"}], True),
        ([{"job": "a", "severity": "x"}, {"job": "b", "severity": "y"}], False),
        ([{"job": "a"}, {"job": "b"}], False),
        ([{"job": "a", "severity": "x"}], False),
    ],
    ids=["alike", "another label differs", "own label is new", "one series"],
)
async def test_an_own_label_that_makes_alerts_the_same(judged: list[dict[str, str]], collide: bool) -> None:
    found = await told(WELL, judged=judged)
    assert [each.startswith("Failing: its own label severity makes") for each in found] == [True] * collide


@pytest.mark.parametrize(
    "values",
    [{"labels": {"severity": "{{ $labels.severity }}"}}, {"expr": "hour() and on () failed > 1"}],
    ids=["a template", "the right side"],
)
async def test_labels_that_are_kept_or_of_another_series_do_not_collide(values: dict[str, Any]) -> None:
    rule = running(**{"last_evaluation": NOW - 30, **values})
    assert await told(rule, judged=[{"severity": "x"}, {"severity": "y"}]) == []
