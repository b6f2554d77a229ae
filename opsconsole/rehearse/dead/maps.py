"""Functions of one value at a time."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import promql_parser as p

from opsconsole.rehearse.dead import words
from opsconsole.rehearse.dead.arithmetic import monotone, negated
from opsconsole.rehearse.dead.operators import valued
from opsconsole.rehearse.dead.ranges import INFINITY, NAN, Range, Why, between, certain
from opsconsole.rehearse.dead.vectors import Death, Result, Value

if TYPE_CHECKING:
    from opsconsole.rehearse.dead.judge import Judge


def mapped(node: p.Call, judge: "Judge") -> Result:
    inner = judge.result(node.args[0])
    if inner.dead:
        return inner
    given = [judge.number(argument).value.range for argument in node.args[1:]]
    if node.func.name == "clamp" and _crossed(*given):
        text = f"{words.shown(node)} gives nothing: its least value is over its greatest"
        return Result(deaths=(Death("always-empty", text, node),))
    function = FUNCTIONS[node.func.name]
    return valued(inner, node, lambda one: Value(function(one.value.range, *given)))


def _crossed(least: Range, most: Range) -> bool:
    """Whether the least value is always over the greatest: then `clamp` gives nothing."""
    return certain(">", least, most)


def _absolute(range_: Range) -> Range:
    if range_.numberless or range_.low >= 0:
        return range_
    most = max(-range_.low, range_.high)
    why = Why("an absolute value is never negative")
    return replace(
        negated(range_) if range_.high <= 0 else range_,
        low=max(0.0, -range_.high), high=most, low_open=False, high_open=False, low_why=why,
    )  # fmt: skip


def _root(range_: Range) -> Range:
    if range_.numberless or range_.high < 0:
        return NAN
    why = Why("a square root is never negative")
    positive = range_ if range_.low >= 0 else replace(range_, low=0.0, low_open=False, low_why=why)
    return replace(monotone(positive, math.sqrt), nan=True)


def _sign(range_: Range) -> Range:
    return between(
        0.0 if range_.low >= 0 else -1.0, 0.0 if range_.high <= 0 else 1.0, "sgn gives -1, 0 or 1",
        nan=range_.nan, whole=True,
    )  # fmt: skip


def _rounded(range_: Range, *to: Range) -> Range:
    return Range() if to else monotone(range_, _whole(lambda value: math.floor(value + 0.5)), whole=True)


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    """With the sign kept: what is rounded up to 0 is the negative zero."""
    return lambda value: math.copysign(function(value), value) if math.isfinite(value) else value


def _clamped_below(range_: Range, least: Range) -> Range:
    if range_.numberless or least.numberless:
        return NAN
    held = Why(f"clamp_min keeps it at {words.number(least.low)} or over")
    low = range_ if range_.low >= least.low else Range(least.low, low_why=held)
    high = range_ if range_.high >= least.high else least
    nan = range_.nan or least.nan
    return Range(low.low, high.high, low_why=low.low_why, high_why=high.high_why, nan=nan)


def _clamped_above(range_: Range, most: Range) -> Range:
    if range_.numberless or most.numberless:
        return NAN
    found = negated(_clamped_below(negated(range_), negated(most)))
    held = Why(f"clamp_max keeps it at {words.number(most.high)} or below")
    return replace(found, high_why=range_.high_why if range_.high <= most.high else held)


def _clamped(range_: Range, least: Range, most: Range) -> Range:
    return _clamped_below(_clamped_above(range_, most), least)


def _within(low: float, high: float, name: str) -> Callable[..., Range]:
    text = f"{name} is never below {words.number(low)}"
    text += f" nor over {words.number(high)}" if high < INFINITY else ""
    return lambda *_: between(low, high, text, nan=True)


def _anything(*_: Range) -> Range:
    return Range()


FUNCTIONS: dict[str, Callable[..., Range]] = {
    "abs": _absolute,
    "ceil": lambda range_: monotone(range_, _whole(math.ceil), whole=True),
    "floor": lambda range_: monotone(range_, _whole(math.floor), whole=True),
    "round": _rounded,
    "sqrt": _root,
    "sgn": _sign,
    "exp": _within(0.0, INFINITY, "exp"),
    "cosh": _within(1.0, INFINITY, "cosh"),
    "sin": _within(-1.0, 1.0, "sin"),
    "cos": _within(-1.0, 1.0, "cos"),
    "tanh": _within(-1.0, 1.0, "tanh"),
    "clamp": _clamped,
    "clamp_min": _clamped_below,
    "clamp_max": _clamped_above,
    **dict.fromkeys(
        [
            "acos",
            "acosh",
            "asin",
            "asinh",
            "atan",
            "atanh",
            "deg",
            "ln",
            "log10",
            "log2",
            "rad",
            "sinh",
            "tan",
        ],
        _anything,
    ),
}
