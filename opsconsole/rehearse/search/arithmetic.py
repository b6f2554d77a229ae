"""Operators between numbers, and what they ask of one side when the other is known."""

import math
from collections.abc import Callable, Iterator
from itertools import islice

from opsconsole.promql import arithmetic
from opsconsole.rehearse.search.regions import Region

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}
OPPOSITE = {"==": "!=", "!=": "==", ">": "<=", "<": ">=", ">=": "<", "<=": ">"}
FLIPPED = {"==": "==", "!=": "!=", ">": "<", "<": ">", ">=": "<=", "<=": ">="}


def calculated(op: str, left: float, right: float) -> float | None:
    """`left op right` as Prometheus has it; a comparison gives 1 or 0; None for what is not arithmetic."""
    if op in COMPARISONS:
        return float(COMPARISONS[op](left, right))
    return arithmetic.of_numbers(op, left, right) if op in arithmetic.OPERATORS else None


def undone(
    op: str, region: Region, *, left: float | None = None, right: float | None = None
) -> Iterator[Region]:
    """The regions in which the side that is not given has to lie so that `left op right` is in the region."""
    if right is not None:
        yield from _left_side(op, region, right)
    elif left is not None:
        yield from _right_side(op, region, left)


def _left_side(op: str, region: Region, right: float) -> Iterator[Region]:
    if op in COMPARISONS:
        yield Region.compared(op, right).within(region)
    elif op == "+":
        yield region.shifted(-right)
    elif op == "-":
        yield region.shifted(right)
    elif op == "*" and right:
        yield region.scaled(1 / right)
    elif op == "*":
        if 0.0 in region:
            yield Region()
    elif op == "/" and right:
        yield region.scaled(right)
    elif op == "/":
        for side in (Region(0.0), Region(hi=0.0)):
            if arithmetic.of_numbers("/", math.copysign(1.0, side.lo), right) in region:
                yield side
    else:
        ideas = [*islice(region.picks(), 8), 0.0, 1.0, right, right - 1, right + 1]
        if op == "^" and right:
            ideas = [abs(idea) ** (1 / right) for idea in ideas if abs(idea) < 1e12]
        yield from _points(ideas, lambda value: calculated(op, value, right), region)


def _right_side(op: str, region: Region, left: float) -> Iterator[Region]:
    if op == "+":
        yield region.shifted(-left)
    elif op == "-":
        yield region.scaled(-1).shifted(left)
    elif op == "*" and left:
        yield region.scaled(1 / left)
    else:
        ideas = [left / idea for idea in islice(region.picks(), 10) if idea] if op == "/" else []
        ideas += [*islice(region.picks(), 6), 0.0, 1.0, 2.0, left]
        yield from _points(ideas, lambda value: calculated(op, left, value), region)


def _points(
    ideas: list[float], function: Callable[[float], float | None], region: Region
) -> Iterator[Region]:
    for idea in dict.fromkeys(ideas):
        value = function(idea)
        if value is not None and value in region:
            yield Region.point(idea)
