"""Two runs beside each other."""

from opsconsole.model import Event, Finding, Found, Outcome, ServerSeen
from opsconsole.reports.compare import Change, compare, same
from opsconsole.runview import RunView
from tests.sample_run import ended, numbered, sample, started


def view(*events: Event) -> RunView:
    return RunView.of(numbered(events))


def found(detail: str) -> Found:
    return Found(item="a", finding=Finding(subject="Alert", summary="differs", detail=detail))


def test_a_run_is_the_same_as_itself() -> None:
    changes = compare(RunView.of(sample()), RunView.of(sample(run="20261123-0900-abcd")))
    assert changes == []
    assert same(changes)


def test_an_outcome_that_changed() -> None:
    before = view(started("a"), ended("a", Outcome.FAIL, "x"))
    after = view(started("a"), ended("a", Outcome.PASS, "y"))
    assert compare(before, after) == [Change("a", "outcome", "FAIL", "PASS")]
    assert not same(compare(before, after))


def test_findings_that_came_and_went_and_whose_detail_changed() -> None:
    before = view(started("a"), found("- 1"), ended("a", Outcome.FAIL, "x"))
    after = view(started("a"), found("- 2"), ended("a", Outcome.FAIL, "x"))
    assert compare(before, after) == [
        Change("a", "finding", "Alert: differs [- 1]", ""),
        Change("a", "finding", "", "Alert: differs [- 2]"),
    ]


def test_an_item_that_only_one_run_has_and_one_that_did_not_end() -> None:
    before = view(started("a", "b"), ended("a", Outcome.PASS, "x"))
    after = view(started("b", "c"), ended("b", Outcome.PASS, "x", seconds=9.0))
    assert compare(before, after) == [
        Change("a", "outcome", "PASS", ""),
        Change("b", "outcome", "not finished", "PASS"),
        Change("c", "outcome", "", "not finished"),
    ]
    assert str(compare(before, after)[0]) == "a: outcome: PASS -> (none)"


def test_versions_and_environment() -> None:
    old = ServerSeen(server="prometheus", version="2.53.3", url="http://x")
    new = ServerSeen(server="prometheus", version="3.5.0", url="http://x")
    assert compare(view(started(), old), view(started(environment="lab"), new)) == [
        Change("run", "environment", "staging", "lab"),
        Change("prometheus", "version", "2.53.3", "3.5.0"),
    ]


def test_durations_are_told_where_they_are_notable_and_make_no_difference() -> None:
    before = view(started("a", "b"), *(ended(item, Outcome.PASS, "x", seconds=1.0) for item in "ab"))
    after = view(
        started("a", "b"),
        ended("a", Outcome.PASS, "x", seconds=4.0),
        ended("b", Outcome.PASS, "x", seconds=1.6),
    )
    changes = compare(before, after)
    assert changes == [Change("a", "duration", "1.00 s", "4.00 s")]
    assert same(changes)
