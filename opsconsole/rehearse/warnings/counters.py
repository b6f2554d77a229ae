"""Counters that are read as gauges, and gauges that are read as counters."""

from collections.abc import Iterator

import promql_parser as p

from opsconsole.promql import selectors
from opsconsole.rehearse.model import Warned
from opsconsole.rehearse.places import Place, places
from opsconsole.rehearse.schema import Schema
from opsconsole.rehearse.warnings.comparing import FLIPPED, Compared, compared
from opsconsole.rehearse.warnings.kinds import BY_NAME, BY_TYPE, counter, gauge
from opsconsole.rehearse.warnings.values import metric

_GROWTH = {"rate": "deriv", "irate": "deriv", "increase": "delta"}
_CHANGE = {"delta": "increase", "idelta": "increase", "deriv": "rate"}
_OF_VALUES = frozenset(
    ["avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "quantile_over_time",
     "stddev_over_time", "stdvar_over_time", "mad_over_time", "predict_linear", "holt_winters",
     "double_exponential_smoothing"]
)  # fmt: skip
_KEEP_VALUES = frozenset(
    ["abs", "ceil", "floor", "round", "sort", "sort_desc", "clamp", "clamp_min", "clamp_max",
     "label_replace", "label_join", "scalar"]
)  # fmt: skip
_AGGREGATE_VALUES = frozenset(["sum", "avg", "min", "max", "quantile", "topk", "bottomk", "stddev", "stdvar"])


def warnings(tree: p.Expr, schema: Schema) -> Iterator[Warned]:
    """Of each kind of misuse the outermost place."""
    for place in places(tree):
        if isinstance(place.node, p.Call):
            yield from _call(place, place.node.func.name, schema)
    for comparison in compared(tree):
        yield from _read_raw(comparison, schema)


def _call(place: Place, function: str, schema: Schema) -> Iterator[Warned]:
    ranged = next((each for each in place.within if isinstance(each.node, p.MatrixSelector)), None)
    name = metric(ranged) if ranged else ""
    if function == "histogram_quantile" and len(place.within) > 1:
        yield from _quantile(place, schema)
    if ranged is None or not name:
        return
    if function in _GROWTH and (told := gauge(name, schema)):
        yield _warned(
            "gauge-as-counter",
            place,
            f"{name} is a gauge by {told}: {function} takes every fall of it for a restart, and counts it "
            "as growth",
            f"{_GROWTH[function]}({ranged.text})",
        )
    elif function in {*_CHANGE, *_OF_VALUES} and (told := counter(name, schema)):
        instead = _CHANGE.get(function, "rate" if function != "sum_over_time" else "increase")
        yield _warned(
            "counter-as-gauge",
            place,
            f"{name} is a counter by {told}: it grows until its process restarts, and {function} takes the "
            "fall to 0 for a value like any other",
            f"{instead}({ranged.text})",
        )


def _quantile(place: Place, schema: Schema) -> Iterator[Warned]:
    for selected in _raw(place.within[1]):
        if counter(metric(selected), schema):
            yield _warned(
                "counter-as-gauge",
                place,
                f"{metric(selected)} counts since its process started, so this is the quantile of all that "
                "time, which hardly moves any more",
                place.text.replace(selected.text, f"rate({selected.text}[5m])"),
            )


def _read_raw(comparison: Compared, schema: Schema) -> Iterator[Warned]:
    """Counters whose plain value is compared. That one is 0, or more than 0 as a condition of something
    else, is a question that a counter can answer."""
    if comparison.op in ("==", "!=") or (comparison.guards and comparison.threshold == 0):
        return
    if not comparison.upwards and comparison.threshold <= 1:
        return
    for selected in _raw(comparison.side):
        told = counter(metric(selected), schema)
        if told == BY_TYPE or (told == BY_NAME and comparison.upwards):
            yield _warned(
                "counter-as-gauge",
                comparison.place,
                f"{metric(selected)} is a counter by {told}: it only grows, so "
                + (
                    "once this holds, it holds until the process restarts"
                    if comparison.upwards
                    else "once this holds no more, it can only come back after a restart"
                ),
                comparison.place.text.replace(selected.text, f"increase({selected.text}[5m])"),
            )
            return


def _raw(place: Place) -> Iterator[Place]:
    """The selectors whose values come through to this place as they are, if only summed or scaled.

    A difference is left out: started minus finished is what is going on, a proper gauge. So is what is set
    in relation to something that is no counter.
    """
    node = place.node
    match node:
        case p.VectorSelector():
            if metric(place):
                yield place
        case p.ParenExpr():
            yield from _raw(place.within[0])
        case p.AggregateExpr() if str(node.op) in _AGGREGATE_VALUES:
            yield from _raw(place.within[-1])
        case p.Call() if node.func.name in _KEEP_VALUES:
            yield from _raw(place.within[0])
        case p.BinaryExpr():
            yield from _raw_of_two(place, str(node.op))


def _raw_of_two(place: Place, operator: str) -> Iterator[Place]:
    left, right = place.within
    if operator in ("+", "or"):
        yield from _raw(left)
        yield from _raw(right)
    elif operator in ("*", "/") or operator in FLIPPED:
        if not selectors(right.node) or operator in FLIPPED:
            yield from _raw(left)
        elif operator == "*" and not selectors(left.node):
            yield from _raw(right)
        elif operator == "/" and (divisors := list(_raw(right))) and all(map(_counts, divisors)):
            yield from _raw(left)
    elif operator in ("and", "unless"):
        yield from _raw(left)


def _counts(selected: Place) -> bool:
    return metric(selected).endswith(("_total", "_count", "_sum", "_bucket"))


def _warned(kind: str, place: Place, summary: str, correction: str) -> Warned:
    return Warned(kind=kind, summary=summary, guilty=place.text, nth=place.nth, correction=correction)
