"""Arithmetic on ranges. Float arithmetic rounds, but never past a bound that is rounded itself."""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from opsconsole.promql.arithmetic import of_numbers
from opsconsole.rehearse.dead.ranges import ANYTHING, INFINITY, NAN, NOTHING, Range, Why, exactly

_ROUNDED = 1 + 1e-12
_PI = Why("atan2 lies between -pi and pi")


def calculated(op: str, left: Range, right: Range) -> Range:
    """The range of `left op right`."""
    if left.numberless or right.numberless:
        return NAN if op != "^" else ANYTHING
    one, other = left.single, right.single
    if one is not None and other is not None:
        return exactly(of_numbers(op, one, other), left.high_why or right.high_why)
    return _OPERATORS[op](left, right)


def negated(range_: Range) -> Range:
    return replace(
        range_, low=-range_.high, high=-range_.low, low_open=range_.high_open, high_open=range_.low_open,
        low_why=range_.high_why, high_why=range_.low_why,
    )  # fmt: skip


def monotone(range_: Range, function: Callable[[float], float], *, whole: bool = False) -> Range:
    """The range under a function that never falls."""
    if range_.numberless:
        return range_
    return replace(
        range_, low=function(range_.low), high=function(range_.high), low_open=False, high_open=False,
        whole=whole,
    )  # fmt: skip


def _added(left: Range, right: Range) -> Range:
    return Range(
        _or(left.low + right.low, -INFINITY), _or(left.high + right.high, INFINITY),
        low_why=left.low_why or right.low_why, high_why=left.high_why or right.high_why,
        nan=_may_be_nan(left, right), whole=left.whole and right.whole,
    )  # fmt: skip


def _multiplied(left: Range, right: Range) -> Range:
    whole = left.whole and right.whole
    return _of_corners(left, right, lambda a, b: 0.0 if a == 0 or b == 0 else a * b, whole)


def _divided(left: Range, right: Range) -> Range:
    if (right.low <= 0 <= right.high and math.copysign(1.0, right.low) < 0) or right.high == 0:
        return ANYTHING
    return replace(_of_corners(left, right, _quotient, False), nan=_may_be_nan(left, right, division=True))


def _quotient(left: float, right: float) -> float:
    """Of bounds; a divisor has no negative values where 0 is its bound."""
    if math.isinf(right):
        return 0.0
    if right == 0:
        return 0.0 if left == 0 else math.copysign(INFINITY, left)
    return left / right


def _of_corners(left: Range, right: Range, of: Callable[[float, float], float], whole: bool) -> Range:
    corners = [
        (of(a, b), why_a or why_b)
        for a, why_a in ((left.low, left.low_why), (left.high, left.high_why))
        for b, why_b in ((right.low, right.low_why), (right.high, right.high_why))
    ]
    low, high = min(corners, key=lambda one: one[0]), max(corners, key=lambda one: one[0])
    nan = _may_be_nan(left, right)
    return Range(low[0], high[0], low_why=low[1], high_why=high[1], nan=nan, whole=whole)


def _remainder(left: Range, right: Range) -> Range:
    divisor = max(abs(right.low), abs(right.high))
    most = min(divisor, max(abs(left.low), abs(left.high)))
    why = Why(f"a remainder of a division by {divisor:g} stays below it")
    below = most == divisor and math.isfinite(divisor)
    return Range(
        0.0 if left.low >= 0 else -most, 0.0 if left.high <= 0 else most,
        low_open=below and left.low < 0, high_open=below and left.high > 0, low_why=why, high_why=why,
        whole=left.whole and right.whole,
    )  # fmt: skip


def _power(left: Range, right: Range) -> Range:
    exponent = right.single
    if exponent is not None and exponent > 0 and (exponent % 2 == 0 or left.low >= 0):
        why = left.low_why if left.low >= 0 else Why(f"a power of {exponent:g} is never negative")
        lowest = of_numbers("^", max(left.low, 0.0), exponent) if left.low >= 0 else 0.0
        return Range(lowest, low_why=why)
    return ANYTHING


def _or(value: float, instead: float) -> float:
    return instead if math.isnan(value) else value


def _may_be_nan(left: Range, right: Range, *, division: bool = False) -> bool:
    if left.nan or right.nan or not (left.finite and right.finite):
        return True
    return division and right.low <= 0 <= right.high


_OPERATORS: dict[str, Callable[[Range, Range], Range]] = {
    "+": _added,
    "-": lambda left, right: _added(left, negated(right)),
    "*": _multiplied,
    "/": _divided,
    "%": _remainder,
    "^": _power,
    "atan2": lambda *_: Range(-math.pi, math.pi, low_why=_PI, high_why=_PI),
}


def hull(ranges: Iterable[Range]) -> Range:
    joined = NOTHING
    for one in ranges:
        joined = joined.hull(one)
    return joined


def quantile_of(quantile: Range, values: Range) -> Range:
    """The range of a quantile of values: infinite outside 0 to 1, else among them."""
    if quantile.single is not None and quantile.single < 0:
        return exactly(-INFINITY, Why("a quantile below 0 is always -Inf"))
    if quantile.single is not None and quantile.single > 1:
        return exactly(INFINITY, Why("a quantile over 1 is always +Inf"))
    inside = quantile.low >= 0 and quantile.high <= 1
    return averaged(replace(values, nan=True)) if inside and not values.numberless else ANYTHING


def averaged(values: Range) -> Range:
    """The range of something between values: of fractions a little more, for it is rounded."""
    if values.numberless or values.whole:
        return replace(values, whole=False)
    low, high = (value * _ROUNDED for value in (values.low, values.high))
    return replace(
        values, low=min(low, values.low / _ROUNDED), high=max(high, values.high / _ROUNDED),
        low_open=False, high_open=False,
    )  # fmt: skip
