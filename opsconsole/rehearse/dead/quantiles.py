"""Functions of histograms."""

from dataclasses import replace
from typing import TYPE_CHECKING

import promql_parser as p

from opsconsole.rehearse.dead import words
from opsconsole.rehearse.dead.mismatches import regrouped
from opsconsole.rehearse.dead.ranges import INFINITY, NAN, Range, Why, between, exactly
from opsconsole.rehearse.dead.shapes import keyed
from opsconsole.rehearse.dead.vectors import Buckets, Death, Result, Value, Vector

if TYPE_CHECKING:
    from opsconsole.rehearse.dead.judge import Judge

_VECTOR_AT = {"histogram_quantile": 1, "histogram_fraction": 2}
_OF_NATIVE = frozenset(
    ["histogram_count", "histogram_sum", "histogram_avg", "histogram_stddev", "histogram_stdvar"]
)
FUNCTIONS = _OF_NATIVE | _VECTOR_AT.keys()
_LE = "le"
_OF_VICTORIA_METRICS = "vmrange"
"""What its histograms have instead, which its servers understand."""


def quantile(node: p.Call, judge: "Judge") -> Result:
    name = node.func.name
    inner = judge.result(node.args[_VECTOR_AT.get(name, 0)])
    if inner.dead:
        return inner
    one = inner.one
    if name in _OF_NATIVE:
        if one.floats:
            text = f"{name} reads native histograms, and {words.shown(node.args[0])} has none"
            return Result(deaths=(Death("always-empty", text, node, guess=_guess(one)),))
        return keyed(Result((Vector(one.labels, when=one.when, floats=True),)), node)
    if one.floats and one.labels.has_none_of([_LE, _OF_VICTORIA_METRICS]):
        return Result(deaths=(_no_le(node, one),))
    range_ = _fraction() if name == "histogram_fraction" else _quantile(node, one, judge)
    labels = one.labels.without([_LE])
    return keyed(Result((Vector(labels, Value(range_), one.when, floats=True),)), node)


def _guess(one: Vector) -> str:
    return one.buckets.by_name if one.buckets else ""


def _no_le(node: p.Call, one: Vector) -> Death:
    name = node.func.name
    aggregation = one.labels.lost_to(_LE)
    if aggregation is None:
        text = f"{name} needs the label le, which {words.shown(node.args[_VECTOR_AT[name]])} does not have"
        return Death("no-label", text, node, guess=_guess(one))
    text = f"{name} needs the label le, which {words.shown(aggregation)} has dropped"
    return Death("label-aggregated-away", text, aggregation, regrouped(aggregation, [_LE]), _guess(one))


def _fraction() -> Range:
    guess = "but for a rounding error in the last digit"
    return between(0.0, 1.0, "a fraction is never below 0 nor over 1", nan=True, guess=guess)


def _quantile(node: p.Call, one: Vector, judge: "Judge") -> Range:
    asked, inner = judge.number(node.args[0]).value.range, one.value.range
    if asked.single is not None and not 0 <= asked.single <= 1:
        text = f"a quantile of {words.number(asked.single)} is infinite, for it is a share from 0 to 1"
        return replace(exactly(INFINITY if asked.single > 1 else -INFINITY, Why(text)), nan=True)
    buckets = one.buckets
    if buckets is None or inner.low < 0 or asked.low < 0 or asked.high > 1:
        return Range()
    if not buckets.infinite:
        why = Why("a quantile is NaN without the bucket up to +Inf")
        return replace(NAN, low_why=why, high_why=why)
    return _inside(buckets, inner) if buckets.bounds else Range()


def _inside(buckets: Buckets, inner: Range) -> Range:
    """From 0, or from the lowest bound where that is below, to the highest finite bound."""
    bounds = buckets.bounds or frozenset()
    highest = max(bounds)
    guess = "; ".join(filter(None, (buckets.guess, inner.low_why.guess if inner.low_why else "")))
    text = f"a quantile is never above the highest finite bucket, which is {words.number(highest)}"
    # Between two bounds it is the lower one and a part of the way to the next, which is rounded.
    return Range(
        min(0.0, *bounds), max(highest, *(low + (highest - low) for low in bounds)),
        low_why=Why("a quantile is never below 0 where no bucket is", guess=guess),
        high_why=Why(f"{text} in {buckets.metric}", "above-highest-bucket", guess),
    )  # fmt: skip
