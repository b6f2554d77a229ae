"""Which alerts go off together, and which are tested before which."""

import pytest

from opsconsole.clients.prometheus import Rule
from opsconsole.promql import Comparison
from opsconsole.walkthrough.order import Turn, turns
from opsconsole.walkthrough.siblings import Judge, base, ceiling, companions, judges


def rule(name: str, expr: str, kind: str = "alerting") -> Rule:
    return Rule(
        kind="alerting" if kind == "alerting" else "recording",
        name=name,
        expr=expr,
        for_seconds=0.0,
        keep_firing_for_seconds=0.0,
        labels={},
        annotations={},
        state="inactive",
        health="ok",
        last_error="",
        last_evaluation=0.0,
        evaluation_seconds=0.0,
        group="g",
        file="f",
        interval_seconds=1.0,
        alerts=[],
    )


def judged(*exprs: str) -> list[Judge]:
    """Rules named by their place."""
    return judges(rule(str(number), expr) for number, expr in enumerate(exprs))


def names(found: list[Judge]) -> list[str]:
    return [judge.name for judge in found]


def test_what_a_rule_reads() -> None:
    (judge,) = judged("histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m]))) > 1 and rate(y[1h]) > 0")
    assert judge.metrics == {"x", "y"}
    assert judge.window_seconds == 3600
    assert base("x_count") == base("x_sum") == base("x") == "x"


def test_recording_rules_judge_nothing() -> None:
    assert judges([rule("r", "sum(x)", "recording")]) == []


def test_a_rule_that_cannot_be_read_stands_in_nobodys_way() -> None:
    good, odd = judged("x > 1", "x >")
    assert odd.comparison is None
    assert (ceiling(good, [good, odd]), companions(good, [good, odd])) == (None, [])
    assert (ceiling(odd, [good, odd]), companions(odd, [good, odd])) == (None, [])


@pytest.mark.parametrize(
    ("exprs", "next_up", "beside"),
    [
        pytest.param(["x > 5", "x > 9", "x > 7", "y > 6"], 7.0, [], id="the nearest above"),
        pytest.param(["x > 5", "x >= 3", "3 < x"], None, ["1", "2"], id="those below go with it"),
        pytest.param(["x > 5", "x > 5"], None, ["1"], id="the same threshold goes with it"),
        pytest.param(["x < 5", "x < 1", "x <= 3", "x < 8"], 3.0, ["3"], id="downwards"),
        pytest.param(["x > 5", "x < 9"], None, [], id="the other direction has nothing to do with it"),
        pytest.param(["x == 0", "x == 0", "x == 1"], None, ["1"], id="equalities"),
        pytest.param(['x{a="1", b="2"} > 5', 'x{b="2",a="1"} > 4'], None, ["1"], id="however it is written"),
    ],
)
def test_the_same_left_side(exprs: list[str], next_up: float | None, beside: list[str]) -> None:
    ours, *others = judged(*exprs)
    assert ceiling(ours, [ours, *others]) == next_up
    assert names(companions(ours, [ours, *others])) == beside


def turn(alert: str, *metrics: str, above: float = 0.0, counted: bool = True, mutes: str = "") -> Turn:
    side = Comparison(" ".join(metrics), ">", above)
    return Turn(alert, side, frozenset(metrics), counted, frozenset(filter(None, [mutes])))


def test_the_lower_threshold_goes_first() -> None:
    assert turns([turn("critical", "m", above=0.25), turn("high", "m", above=0.1)]) == {
        "high": (),
        "critical": ("high",),
    }


def test_downwards_the_higher_threshold_goes_first() -> None:
    low, lower = (
        Turn(name, Comparison("m", "<", threshold), frozenset("m"), True)
        for name, threshold in (("low", 9.0), ("lower", 1.0))
    )
    assert turns([lower, low]) == {"low": (), "lower": ("low",)}


def test_silence_goes_last() -> None:
    found = turns([turn("stalled", "m", counted=False), turn("failing", "m", "n"), turn("slow", "o", "m")])
    assert found == {"failing": (), "slow": ("failing",), "stalled": ("failing", "slow")}


def test_what_has_nothing_in_common_runs_side_by_side() -> None:
    assert turns([turn("one", "m"), turn("other", "n")]) == {"one": (), "other": ()}


def test_one_that_mutes_the_other_is_not_there_at_the_same_time() -> None:
    assert turns([turn("source", "m", mutes="target"), turn("target", "n")]) == {
        "source": (),
        "target": ("source",),
    }


def test_nobody_waits_in_a_circle() -> None:
    wanted = [turn(str(n), f"m{n}", f"m{(n + 1) % 5}", mutes=str((n + 2) % 5)) for n in range(5)]
    found = turns(wanted)
    done: set[str] = set()
    while ready := [alert for alert, before in found.items() if alert not in done and done >= set(before)]:
        done.update(ready)
    assert done == set(found)
