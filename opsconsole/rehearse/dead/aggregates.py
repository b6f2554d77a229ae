"""What an aggregation can give."""

from dataclasses import replace
from typing import TYPE_CHECKING

import promql_parser as p

from opsconsole.rehearse.dead import words
from opsconsole.rehearse.dead.arithmetic import averaged, quantile_of
from opsconsole.rehearse.dead.labels import Labels
from opsconsole.rehearse.dead.ranges import INFINITY, Range, between, exactly
from opsconsole.rehearse.dead.shapes import keyed
from opsconsole.rehearse.dead.vectors import Death, Result, Value, Vector

if TYPE_CHECKING:
    from opsconsole.rehearse.dead.judge import Judge

_CHOOSE = frozenset(["topk", "bottomk", "limitk", "limit_ratio"])
_SAME_VALUES = frozenset(["min", "max", "avg"])


def aggregate(node: p.AggregateExpr, judge: "Judge") -> Result:
    inner, operator = judge.result(node.expr), str(node.op)
    if operator in _CHOOSE:
        return _chosen(node, inner, judge)
    if inner.dead:
        return inner
    one = inner.one
    vector = Vector(
        _grouped(node, one.labels),
        Value(_value(operator, one.value.range, node, judge)),
        one.when,
        buckets=one.buckets if operator not in ("count", "group", "count_values") else None,
        floats=one.floats or operator in ("count", "group", "count_values", "stddev", "stdvar", "quantile"),
    )
    if operator == "count_values":
        label = judge.text(node.param) if node.param else None
        labels = vector.labels.forget([label]) if label else Labels()
        return keyed(Result((replace(vector, labels=labels),)), node)
    found = keyed(Result((vector,)), node)
    by_labels = node.modifier is None or node.modifier.type == p.AggModifierType.By
    return replace(found, sure=inner.sure if by_labels else 0)


def _chosen(node: p.AggregateExpr, inner: Result, judge: "Judge") -> Result:
    many = judge.number(node.param).value.range if node.param else Range()
    if many.single is not None and many.single < 1 and str(node.op) != "limit_ratio":
        text = f"{words.shown(node)} chooses no series: {words.number(many.single)} of them"
        return Result(deaths=(Death("always-empty", text, node), *inner.deaths))
    return replace(inner, sure=0, covers=())


def _grouped(node: p.AggregateExpr, labels: Labels) -> Labels:
    if node.modifier is not None and node.modifier.type == p.AggModifierType.Without:
        grouped = labels.without(node.modifier.labels)
    else:
        grouped = labels.only(node.modifier.labels if node.modifier else ())
    return replace(grouped, lost=(*labels.lost, (node, labels.possible)))


def _value(operator: str, inner: Range, node: p.AggregateExpr, judge: "Judge") -> Range:
    if operator in _SAME_VALUES:
        return averaged(inner) if operator == "avg" else inner
    if operator == "sum":
        return summed(inner)
    if operator == "quantile":
        return quantile_of(judge.number(node.param).value.range if node.param else Range(), inner)
    if operator in ("count", "count_values"):
        text = "a count is never below 1, for where there is nothing to count there is no result"
        return between(1.0, INFINITY, text, whole=True)
    if operator == "group":
        return exactly(1.0)
    if operator in ("stddev", "stdvar"):
        return between(0.0, INFINITY, f"{operator} is never negative", nan=True)
    return Range()


def summed(inner: Range, most: float = INFINITY) -> Range:
    """The sum of one value at least, and of `most` at most."""
    if inner.numberless:
        return inner
    low = inner.low if inner.low >= 0 else inner.low * most
    high = inner.high if inner.high <= 0 else inner.high * most
    return Range(
        low, high, low_open=inner.low_open and inner.low >= 0, high_open=inner.high_open and inner.high <= 0,
        low_why=inner.low_why, high_why=inner.high_why, whole=inner.whole,
    )  # fmt: skip
