"""Functions that give back what they are given, more or less: what they ask of what is beneath."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import promql_parser as p

from opsconsole.rehearse.search.regions import Region
from opsconsole.rehearse.search.timing import seconds

ELEMENTWISE: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "ceil": lambda value: value,
    "floor": lambda value: value,
    "round": lambda value: value,
    "clamp": lambda value: value,
    "clamp_min": lambda value: value,
    "clamp_max": lambda value: value,
    "sqrt": lambda value: value * value,
    "exp": lambda value: math.log(value) if value > 0 else -40.0,
    "ln": lambda value: math.exp(min(value, 600.0)),
    "log2": lambda value: 2.0 ** min(value, 900.0),
    "log10": lambda value: 10.0 ** min(value, 300.0),
    "sgn": lambda value: value,
    "deg": math.radians,
    "rad": math.degrees,
}
"""Functions of one value, each with its inverse."""

_AS_IT_IS = ("clamp", "clamp_min", "clamp_max", "ceil", "floor", "round", "sgn")
_LEVELS = {
    "avg_over_time", "min_over_time", "max_over_time", "last_over_time", "first_over_time",
    "quantile_over_time", "double_exponential_smoothing", "holt_winters", "predict_linear",
}  # fmt: skip


def undone(name: str, region: Region, _further: Sequence[float | None]) -> Iterator[Region]:
    """The regions in which the argument has to lie so that the function's value is in the region."""
    if name in _AS_IT_IS:
        yield region
        return
    if name == "abs":
        yield region.within(Region(0.0, lo_closed=True))
        yield region.within(Region(0.0, lo_closed=True)).scaled(-1)
        return
    for value in islice(region.picks(), 8):
        yield Region.point(ELEMENTWISE[name](value))


def over_time(
    name: str,
    inside: p.MatrixSelector | p.SubqueryExpr,
    region: Region,
    interval_seconds: float,
    lasts_seconds: float | None,
) -> Iterator[Region]:
    """What a function over a range asks of the expression beneath, when that stays as it is for the whole
    range, or for `lasts_seconds` of it and is 0 for the rest. Where the function measures a change there is
    no exact answer: anything may do."""
    if name == "avg_over_time" and lasts_seconds is not None:
        yield region.scaled(max(1.0, seconds(inside.range) / lasts_seconds))
        return
    if name in _LEVELS:
        yield region
        return
    if name == "sum_over_time":
        step = (
            inside.step.total_seconds()
            if isinstance(inside, p.SubqueryExpr) and inside.step
            else interval_seconds
        )
        yield region.scaled(1 / max(1.0, seconds(inside.range) / step))
    yield Region()
