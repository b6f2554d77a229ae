"""Ranges hold every value that can come of the values that they are made of.

Longer by hand: `OPSCONSOLE_ATTACKS=40 python -m pytest tests/rehearse/dead/test_ranges.py`, times as many.
"""

import math
import os
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from opsconsole.promql.arithmetic import of_numbers
from opsconsole.rehearse.dead.aggregates import summed
from opsconsole.rehearse.dead.arithmetic import averaged, calculated, negated
from opsconsole.rehearse.dead.maps import FUNCTIONS
from opsconsole.rehearse.dead.ranges import (
    COMPARISONS,
    Range,
    Why,
    certain,
    exactly,
    possible,
    refined,
    truth,
)

some = settings(max_examples=25 * int(os.environ.get("OPSCONSOLE_ATTACKS", "1")))
WHY = Why("so it is")
NUMBERS = st.one_of(st.sampled_from([0.0, 1.0, -1.0, 5.0, 0.5, math.inf, -math.inf]), st.floats(-1e6, 1e6))


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    low, high = sorted([draw(NUMBERS), draw(NUMBERS)])
    return Range(low, high, draw(st.booleans()), draw(st.booleans()), nan=draw(st.booleans()))


@st.composite
def members(draw: st.DrawFn) -> tuple[Range, float]:
    """A range and a value in it."""
    low, value, high = sorted([draw(NUMBERS), draw(NUMBERS), draw(NUMBERS)])
    open_ = value > low and draw(st.booleans()), value < high and draw(st.booleans())
    range_ = Range(low, high, *open_, nan=draw(st.booleans()))
    return range_, math.nan if range_.nan and draw(st.booleans()) else value


def holds(range_: Range, value: float) -> bool:
    return range_.contains(exactly(value))


@some
@given(range_=ranges(), value=NUMBERS)
def test_a_range_holds_what_lies_between_its_bounds(range_: Range, value: float) -> None:
    above = value >= range_.low and not (value == range_.low and range_.low_open)
    below = value <= range_.high and not (value == range_.high and range_.high_open)
    assert holds(range_, value) == (above and below)
    assert holds(range_, math.nan) == range_.nan


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "%", "^", "atan2"])
@some
@given(left=members(), right=members())
def test_arithmetic(operator: str, left: tuple[Range, float], right: tuple[Range, float]) -> None:
    assert holds(calculated(operator, left[0], right[0]), of_numbers(operator, left[1], right[1]))


@pytest.mark.parametrize("operator", COMPARISONS)
@some
@given(left=members(), right=members())
def test_comparisons(operator: str, left: tuple[Range, float], right: tuple[Range, float]) -> None:
    is_true = COMPARISONS[operator](left[1], right[1])
    assert holds(truth(operator, left[0], right[0], "it"), float(is_true))
    if is_true:
        assert possible(operator, left[0], right[0])
        assert holds(refined(operator, left[0], right[0], WHY), left[1])
    else:
        assert not certain(operator, left[0], right[0])


@some
@given(one=members(), other=ranges())
def test_what_is_in_both_in_either_and_in_one_alone(one: tuple[Range, float], other: Range) -> None:
    range_, value = one
    assert holds(range_.meet(other), value) == holds(other, value)
    assert holds(range_.hull(other), value)
    assert holds(other.hull(range_), value)
    if not holds(other, value):
        assert holds(range_.less(other, WHY), value)
    assert holds(negated(range_), -value)


@some
@given(low=st.integers(-9, 9), high=st.integers(-9, 9), bound=st.sampled_from([-1.5, 0.0, 2.0, 2.5, 9.0]))
def test_whole_numbers_stay_whole(low: int, high: int, bound: float) -> None:
    whole = Range(low, high, nan=False, whole=True)
    for operator, compare in COMPARISONS.items():
        left = refined(operator, whole, exactly(bound), WHY)
        values = [value for value in range(low, high + 1) if compare(value, bound)]
        assert left.empty == (not values)
        if values and operator != "!=":
            assert (left.low, left.high) == (values[0], values[-1])


@some
@given(range_=ranges(), values=st.lists(NUMBERS, min_size=1, max_size=4))
def test_sums_and_averages(range_: Range, values: list[float]) -> None:
    values = [value for value in values if holds(range_, value)]
    assume(values)
    assert holds(summed(range_), sum(values))
    assert holds(summed(range_, 4), sum(values))
    assert math.isnan(sum(values)) or holds(averaged(range_), sum(values) / len(values))


ONE_ARGUMENT: dict[str, Callable[[float], float]] = {
    "abs": abs, "ceil": lambda value: math.ceil(value) if math.isfinite(value) else value, "cos": math.cos,
    "floor": lambda value: math.floor(value) if math.isfinite(value) else value, "tanh": math.tanh,
    "round": lambda value: math.floor(value + 0.5) if math.isfinite(value) else value,
    "sgn": lambda value: math.copysign(value != 0, value),
    "sqrt": lambda value: math.sqrt(value) if value >= 0 else math.nan,
}  # fmt: skip


@pytest.mark.parametrize("function", ONE_ARGUMENT)
@some
@given(one=members())
def test_functions(function: str, one: tuple[Range, float]) -> None:
    range_, value = one
    assume(not math.isnan(value) and (function != "cos" or math.isfinite(value)))
    assert holds(FUNCTIONS[function](range_), ONE_ARGUMENT[function](value))


@some
@given(one=members(), least=NUMBERS, most=NUMBERS)
def test_clamping(one: tuple[Range, float], least: float, most: float) -> None:
    range_, value = one
    assume(not math.isnan(value))
    assert holds(FUNCTIONS["clamp_min"](range_, exactly(least)), max(value, least))
    assert holds(FUNCTIONS["clamp_max"](range_, exactly(most)), min(value, most))
    if least <= most:
        assert holds(FUNCTIONS["clamp"](range_, exactly(least), exactly(most)), max(least, min(value, most)))
