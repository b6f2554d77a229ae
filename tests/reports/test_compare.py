"""Two runs beside each other."""

from opsconsole.model import Event, Finding, Found, Hop, HopMissed, Outcome, ServerSeen
from opsconsole.reports.compare import Change, compare, same
from opsconsole.runview import RunView
from tests.sample_run import HIGH, drill, ended, hop, numbered, sample, started


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


def missed(because: str) -> HopMissed:
    return HopMissed(item="a", hop=Hop.PENDING, outcome=Outcome.FAIL, because=because)


def test_an_alert_test_is_the_same_as_itself() -> None:
    assert compare(RunView.of(drill()), RunView.of(drill(run="20261123-0900-abcd"))) == []


def test_hops_side_by_side_with_how_much_slower_each_was() -> None:
    changes = compare(RunView.of(drill()), RunView.of(drill(slower=4.0)))
    assert [str(change) for change in changes[:3]] == [
        f"{HIGH}: metric after the cause: 10.0 s -> 14.0 s, slower by 4.00 s",
        f"{HIGH}: pending after the cause: 15.0 s -> 19.0 s, slower by 4.00 s",
        f"{HIGH}: firing after the cause: 15 min 15 s -> 15 min 19 s, slower by 4.00 s",
    ]
    assert {change.subject for change in changes} == {HIGH}
    assert same(changes)
    faster = compare(RunView.of(drill(slower=4.0)), RunView.of(drill()))
    assert str(faster[0]).endswith("14.0 s -> 10.0 s, faster by 4.00 s")


def test_where_a_signal_stopped_is_a_difference() -> None:
    reached: list[Event] = [started("a"), hop("a", Hop.CAUSE, 0.0), hop("a", Hop.PENDING, 1.0)]
    before = view(*reached, ended("a", Outcome.FAIL, "x"))
    after = view(*reached[:2], missed("it is silenced"), ended("a", Outcome.FAIL, "x"))
    assert compare(before, after) == [Change("a", "stopped", "", "before pending, because it is silenced")]
    assert not same(compare(before, after))
    other = view(*reached[:2], missed("the rule is gone"), ended("a", Outcome.FAIL, "x"))
    assert compare(after, other)[0].after == "before pending, because the rule is gone"


def test_runs_of_different_kinds_are_not_compared_item_by_item() -> None:
    changes = compare(RunView.of(sample()), RunView.of(drill()))
    assert changes == [Change("run", "kind", "verify", "alert-test")]
    assert not same(changes)
