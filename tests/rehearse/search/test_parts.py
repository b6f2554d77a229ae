"""The parts of the search by themselves: regions of numbers, texts for matchers, moments of the calendar."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.promql import Matcher, parse
from opsconsole.rehearse.search import clock
from opsconsole.rehearse.search.arithmetic import COMPARISONS, calculated, undone
from opsconsole.rehearse.search.regions import Region
from opsconsole.rehearse.search.texts import accepted, examples, takes

numbers = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False).map(lambda value: round(value, 3))


@given(st.sampled_from(sorted(COMPARISONS)), numbers)
def test_all_picks_lie_in_the_region(op: str, value: float) -> None:
    region = Region.compared(op, value)
    picks = list(region.picks())
    assert picks
    assert all(COMPARISONS[op](pick, value) for pick in picks)


@given(st.sampled_from(["+", "-", "*", "/"]), numbers, numbers, st.sampled_from([">", "<"]))
def test_what_is_undone_gives_the_region_back(op: str, bound: float, other: float, compared: str) -> None:
    region = Region.compared(compared, bound)
    for side in undone(op, region, right=other):
        for pick in side.picks():
            value = calculated(op, pick, other)
            assert value is not None
            assert value in region or math.isclose(value, bound, rel_tol=1e-6, abs_tol=1e-6)


@pytest.mark.parametrize(
    "pattern",
    [
        "5..",
        "(foo|bar).*",
        "a{2,3}[0-9]+",
        "v[0-9]*.[0-9]*.*",
        "",
        "[^x]+",
        "(?:4|5)..",
        r"\d+\.\d+",
        "(?i)ok",
    ],
)
def test_examples_match_the_whole_pattern(pattern: str) -> None:
    found = examples(pattern)
    assert found
    assert all(re.fullmatch(pattern, one) for one in found)


def test_a_text_is_found_that_all_matchers_take() -> None:
    asked = [Matcher("a", "=~", "5.."), Matcher("a", "!=", "500"), Matcher("a", "!~", "5a.*")]
    found = accepted(asked, ["500"])
    assert found
    assert all(takes(one, value) for one in asked for value in found)


def test_nothing_is_found_for_what_excludes_all() -> None:
    assert accepted([Matcher("a", "=", "x"), Matcher("a", "!=", "x")], []) == []
    assert accepted([Matcher("a", "!~", ".*")], ["b"]) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("hour()", 3.0),
        ("day_of_week()", 5.0),
        ("day_of_month()", 2.0),
        ("hour() > 8", math.nan),
        ("hour() < 8 and day_of_week() == 5", 3.0),
        ("vector(1) unless hour() == 3", math.nan),
        ("time() > bool 5", 1.0),
        ("7 / 2 - 1", 2.5),
    ],
)
def test_what_reads_no_series_has_a_value(text: str, value: float) -> None:
    friday_three = 86_400.0 + 3 * 3600.0
    assert clock.value(parse(text), friday_three) == pytest.approx(value, nan_ok=True)


def test_what_reads_series_has_none() -> None:
    assert clock.value(parse("hour() + x"), 0.0) is None
