"""Thresholds that are written in another unit than the metric's."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import promql_parser as p

from opsconsole.promql import Selector, selectors
from opsconsole.promql.trees import number, selector
from opsconsole.rehearse.model import Warned
from opsconsole.rehearse.places import Place, places
from opsconsole.rehearse.schema import PARTS, Schema
from opsconsole.rehearse.warnings.comparing import Compared, compared
from opsconsole.rehearse.warnings.shares import is_mean
from opsconsole.rehearse.warnings.values import origin

Unit = Literal["seconds", "milliseconds", "bytes", ""]

_UNITS: dict[str, Unit] = {
    "seconds": "seconds", "secs": "seconds", "milliseconds": "milliseconds", "millis": "milliseconds",
    "millisecond": "milliseconds", "ms": "milliseconds", "msec": "milliseconds", "bytes": "bytes",
}  # fmt: skip
_TAKES_TIME = re.compile(r".*(?:duration|latency|response_time|processing_time|time_taken|seconds|_ms\b).*")
_ANSWERED = re.compile(r"(?!.*(?:expir|cert|_age|lag)).*(?:http|request|response|webhook|rpc).*")
_SPACE = re.compile(r".*(?:mem|heap|disk|filesystem|storage|swap|volume).*", re.IGNORECASE)
_SMALL_SPACE_BYTES = 1000
_LONG_ANSWERS_SECONDS = (100, 100_000)
_SHORT_ANSWER_MILLISECONDS = 1
_FEW_BOUNDS = 3


@dataclass(frozen=True, slots=True)
class _Reading:
    """A value of the family `name` (a histogram's bare name) times `factor`; `typical`: it is a quantile or a
    mean of what was observed."""

    name: str
    factor: float = 1.0
    typical: bool = False


def warnings(tree: p.Expr, schema: Schema) -> Iterator[Warned]:
    for comparison in compared(tree):
        if (reading := _reading(comparison.side)) and reading.factor > 0 and comparison.threshold > 0:
            yield from _judged(comparison, reading, schema)
    yield from _clock_differences(tree)


def _judged(comparison: Compared, reading: _Reading, schema: Schema) -> Iterator[Warned]:
    threshold = comparison.threshold / reading.factor
    bounds = _bounds(reading.name, schema)
    if not reading.typical or not bounds:
        yield from _by_name(comparison, reading, threshold)
    elif len(bounds) >= _FEW_BOUNDS and _is_time(reading.name):
        yield from _by_bounds(comparison, threshold, bounds)


def _by_bounds(comparison: Compared, threshold: float, bounds: list[float]) -> Iterator[Warned]:
    low, high = bounds[0], bounds[-1]
    reach = f"its buckets reach from {low:g} to {high:g}: these look like"
    if threshold < low and low <= threshold * 1000 <= high:
        yield _warned(comparison, f"{reach} milliseconds, and {threshold:g} like seconds", 1000)
    elif threshold > high and low <= threshold / 1000 <= high:
        yield _warned(comparison, f"{reach} seconds, and {threshold:g} like milliseconds", 1 / 1000)


def _by_name(comparison: Compared, reading: _Reading, threshold: float) -> Iterator[Warned]:
    name, unit = reading.name, _unit(reading.name)
    least, most = _LONG_ANSWERS_SECONDS
    answers = reading.typical and _ANSWERED.fullmatch(name)
    if unit == "seconds" and answers and least <= threshold <= most:
        told = f"{name} is in seconds, and {threshold:g} s is longer than anyone waits for an answer"
        yield _warned(comparison, told, 1 / 1000)
    elif unit == "milliseconds" and answers and threshold <= _SHORT_ANSWER_MILLISECONDS:
        told = f"{name} is in milliseconds, and {threshold:g} ms is sooner than most answers come"
        yield _warned(comparison, told, 1000)
    elif (
        unit == "bytes" and not reading.typical and threshold < _SMALL_SPACE_BYTES and _SPACE.fullmatch(name)
    ):
        yield _warned(comparison, f"{name} is in bytes, and {threshold:g} bytes are next to nothing", None)


def _warned(comparison: Compared, told: str, factor: float | None) -> Warned:
    meant = "" if factor is None else f": is {comparison.threshold * factor:g} meant?"
    return Warned(
        kind="unit-mismatch",
        summary=f"{told}{meant}",
        guilty=comparison.place.text,
        nth=comparison.place.nth,
        correction="" if factor is None else comparison.against(comparison.threshold * factor),
    )


def _clock_differences(tree: p.Expr) -> Iterator[Warned]:
    """`time() - x_milliseconds`."""
    for place in places(tree):
        if isinstance(place.node, p.BinaryExpr) and str(place.node.op) == "-":
            clock, moment = place.within
            reading = _reading(moment) if clock.bare.text == "time()" else None
            if reading and reading.factor == 1 and _unit(reading.name) == "milliseconds":
                yield Warned(
                    kind="unit-mismatch",
                    summary=f"time() is in seconds, and {reading.name} in milliseconds",
                    guilty=place.text,
                    nth=place.nth,
                    correction=f"{clock.text} - {moment.text} / 1000",
                )


def _reading(place: Place) -> _Reading | None:
    """What is read here, where that is one metric, scaled at most."""
    if inner := origin(place):
        return _reading(inner)
    node = place.node
    match node:
        case p.VectorSelector():
            return _plain(selector(node))
        case p.MatrixSelector():
            return _plain(selector(node.vector_selector))
        case p.Call() if node.func.name == "histogram_quantile":
            return _observed(selectors(node))
        case p.BinaryExpr():
            return _of_two(place, str(node.op))
    return None


def _of_two(place: Place, operator: str) -> _Reading | None:
    left, right = place.within
    low, high = number(left.node), number(right.node)
    if operator == "*" and (factor := low if low is not None else high):
        inner = _reading(left if low is None else right)
        return inner and replace(inner, factor=inner.factor * factor)
    if operator == "/" and high:
        inner = _reading(left)
        return inner and replace(inner, factor=inner.factor / high)
    if operator == "/" and low is None:
        return _observed(selectors(left.node)) if is_mean(left, right) else None
    return None


def _plain(chosen: Selector) -> _Reading | None:
    name = chosen.metric
    if not name or name.endswith((*PARTS, "_total")):
        return None
    quantile = any(matcher.label == "quantile" for matcher in chosen.matchers)
    return _Reading(name, typical=quantile)


def _observed(chosen: list[Selector]) -> _Reading | None:
    names = {one.metric for one in chosen if one.metric}
    if len(names) != 1:
        return None
    name = names.pop()
    part = next((part for part in PARTS if name.endswith(part)), "")
    return _Reading(name.removesuffix(part), typical=True)


def _unit(name: str) -> Unit:
    return next((_UNITS[word] for word in reversed(name.split("_")) if word in _UNITS), "")


def _is_time(name: str) -> bool:
    unit = _unit(name)
    return unit in ("seconds", "milliseconds") or (not unit and bool(_TAKES_TIME.fullmatch(name)))


def _bounds(name: str, schema: Schema) -> list[float]:
    """The finite bounds of the histogram's buckets, ascending; empty where they are not known."""
    metric = schema.metrics.get(f"{name}_bucket")
    if metric is None or schema.origin == "guess":
        return []
    found = set()
    for series in metric.series:
        try:
            found.add(float(series.get("le", "")))
        except ValueError:
            continue
    return sorted(bound for bound in found if math.isfinite(bound))
