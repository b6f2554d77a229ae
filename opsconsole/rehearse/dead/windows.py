"""Functions of the samples within a range."""

from dataclasses import replace
from typing import TYPE_CHECKING

import promql_parser as p

from opsconsole.rehearse.dead import words
from opsconsole.rehearse.dead.aggregates import summed
from opsconsole.rehearse.dead.arithmetic import averaged, quantile_of
from opsconsole.rehearse.dead.clocks import ALWAYS
from opsconsole.rehearse.dead.ranges import INFINITY, Range, Why, between, exactly
from opsconsole.rehearse.dead.shapes import keyed
from opsconsole.rehearse.dead.vectors import UNKNOWN, Death, Result, Value, Vector, Window

if TYPE_CHECKING:
    from opsconsole.rehearse.dead.judge import Judge

_RATES = frozenset(["rate", "increase", "irate"])
_TRENDS = frozenset(
    ["delta", "idelta", "deriv", "predict_linear", "holt_winters", "double_exponential_smoothing"]
)
_SAME_VALUES = frozenset(
    ["avg_over_time", "min_over_time", "max_over_time", "last_over_time", "first_over_time"]
)
_SPREADS = frozenset(["stddev_over_time", "stdvar_over_time", "mad_over_time"])
_STEPS = frozenset(["changes", "resets"])
_KEEP_BUCKETS = _RATES | _SAME_VALUES | {"sum_over_time", "delta", "idelta", "deriv"}
_FLOATS = _SPREADS | _STEPS | {"count_over_time", "present_over_time", "quantile_over_time", "deriv"}
_SURE_SHARE = 0.9
"""A range below this share of the time between two samples never holds two of them, however they jitter."""


def window_at(name: str) -> int:
    """Which argument of a function is the range vector, if one is."""
    return 1 if name == "quantile_over_time" else 0


def over(node: p.Call, window: Window, judge: "Judge") -> Result:
    """What a function gives of the samples in a window."""
    name, inner = node.func.name, window.result
    if inner.dead:
        return Result(deaths=inner.deaths)
    if name in _RATES | _TRENDS and window.most_samples == 1:
        return Result(deaths=(_too_short(node, window),))
    if not name.endswith("_over_time") and name not in _RATES | _TRENDS | _STEPS:
        return UNKNOWN

    def change(one: Vector) -> Vector:
        range_ = _value(node, name, one, window, judge)
        buckets = one.buckets if name in _KEEP_BUCKETS else None
        floats = one.floats or name in _FLOATS
        return Vector(one.labels, Value(range_), ALWAYS, buckets=buckets, floats=floats)

    return keyed(inner.each(change), node)


def _too_short(node: p.Call, window: Window) -> Death:
    range_ = node.args[0]
    spacing, seconds = words.duration(window.spacing_seconds), words.duration(window.seconds)
    text = (
        f"{node.func.name} needs two samples, and a range of {seconds} never holds two at one each {spacing}"
    )
    guesses = [window.spacing_guess]
    if not window.subquery and window.seconds > _SURE_SHARE * window.spacing_seconds:
        guesses.append("that scrapes keep their pace")
    correction = ""
    if isinstance(range_, p.MatrixSelector):
        correction = f"{range_.vector_selector}[{words.duration(4 * window.spacing_seconds)}]"
    return Death("range-too-short", text, range_, correction, "; ".join(filter(None, guesses)))


def _value(node: p.Call, name: str, one: Vector, window: Window, judge: "Judge") -> Range:
    inner, most = one.value.range, _most(one, window)
    if name in _RATES:
        return _rate(name, inner)
    if name in _STEPS:
        return _steps(name, window, most)
    if name in _SAME_VALUES:
        return averaged(inner) if name == "avg_over_time" else inner
    if name in _SPREADS:
        return between(0.0, INFINITY, f"{name} is never negative", nan=True)
    if name == "count_over_time":
        return replace(_counted(name, window, most), low=1.0, low_why=Why("a count is never below 1"))
    if name == "present_over_time":
        return exactly(1.0, Why("present_over_time gives 1 or nothing"))
    if name == "sum_over_time":
        return summed(inner, most)
    if name == "quantile_over_time":
        return quantile_of(judge.number(node.args[0]).value.range, inner)
    return Range()


def _most(one: Vector, window: Window) -> float:
    """How many samples there are in the window at most."""
    most = window.most_samples
    if window.subquery and one.when is not ALWAYS:
        by_calendar = one.when.most_in(window.seconds, window.spacing_seconds)
        if by_calendar is not None:
            return float(by_calendar)
    return INFINITY if most is None else float(most)


def _rate(name: str, inner: Range) -> Range:
    if inner.low < 0 or inner.numberless:
        return Range()
    guess = inner.low_why.guess if inner.low_why else ""
    what = "a rate" if name != "increase" else "an increase"
    return Range(0.0, low_why=Why(f"{what} of a counter is never negative", guess=guess))


def _counted(name: str, window: Window, most: float) -> Range:
    if most == INFINITY:
        return Range(0.0, low_why=Why(f"{name} is never negative"), nan=False, whole=True)
    seconds, spacing = words.duration(window.seconds), words.duration(window.spacing_seconds)
    text = f"{seconds} holds at most {most:g} samples, one each {spacing}"
    guess = window.spacing_guess or ("" if window.subquery else "that no target is scraped more often")
    return Range(
        0.0, max(most, 1.0), low_why=Why(f"{name} is never negative"), high_why=Why(text, guess=guess),
        nan=False, whole=True,
    )  # fmt: skip


def _steps(name: str, window: Window, most: float) -> Range:
    found = _counted(name, window, most)
    if found.high_why is None:
        return found
    kind = "range-too-short" if most <= 1 else "out-of-range"
    return replace(found, high=max(0.0, most - 1), high_why=replace(found.high_why, kind=kind))
