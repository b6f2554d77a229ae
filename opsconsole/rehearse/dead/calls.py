"""What a function can give."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import promql_parser as p

from opsconsole.promql.trees import selector
from opsconsole.rehearse.dead import maps, quantiles, windows, words
from opsconsole.rehearse.dead.clocks import ALL_WEEK, CALENDAR, When, clock
from opsconsole.rehearse.dead.labels import NAME, NO_LABELS, Labels
from opsconsole.rehearse.dead.operators import valued
from opsconsole.rehearse.dead.ranges import INFINITY, NAN, Range, Why, between, exactly
from opsconsole.rehearse.dead.shapes import bare, keyed
from opsconsole.rehearse.dead.vectors import (
    CERTAIN,
    UNKNOWN,
    Death,
    Number,
    Result,
    Term,
    Value,
    Vector,
    Window,
)

if TYPE_CHECKING:
    from opsconsole.rehearse.dead.judge import Judge

_LOOKBACK_SECONDS = 300.0
_LOOKBACK = Why(
    "a series is gone 5 minutes after its last sample",
    guess="that Prometheus looks back 5 minutes, as it does without --query.lookback-delta",
)
_PAST = Why("a sample is never of the future")
_SORTING = frozenset(["sort", "sort_desc", "sort_by_label", "sort_by_label_desc"])
_SINCE_1970 = Why("a time is never before 1970")
_TIME = Range(0.0, low_why=_SINCE_1970, nan=False)


def call(node: p.Call, judge: "Judge") -> Term:
    name = node.func.name
    if name in _SPECIAL:
        return _SPECIAL[name](node, judge)
    if name in CALENDAR or name == "year":
        return _calendar(node, judge)
    if name in _SORTING:
        return judge.result(node.args[0])
    if name in quantiles.FUNCTIONS:
        return quantiles.quantile(node, judge)
    if node.args and isinstance(window := judge.term(node.args[windows.window_at(name)]), Window):
        return windows.over(node, window, judge)
    if name in maps.FUNCTIONS:
        return maps.mapped(node, judge)
    if node.func.return_type == p.ValueType.Scalar:
        return Number(Value())
    return UNKNOWN


def _time(node: p.Call, judge: "Judge") -> Term:
    return Number(Value(_TIME, since_now=exactly(0.0)))


def _scalar(node: p.Call, judge: "Judge") -> Term:
    inner = judge.result(node.args[0])
    if inner.dead:
        return Number(Value(NAN), inner.deaths)
    one = inner.one
    always = inner.sure == ALL_WEEK and len(inner.vectors) == 1 and one.labels == NO_LABELS
    return Number(one.value if always else Value(replace(one.value.range, nan=True)))


def _vector(node: p.Call, judge: "Judge") -> Term:
    number = judge.number(node.args[0])
    return keyed(replace(CERTAIN, vectors=(replace(CERTAIN.vectors[0], value=number.value),)), node)


def _calendar(node: p.Call, judge: "Judge") -> Term:
    name = node.func.name
    least, most = CALENDAR.get(name, (-INFINITY, INFINITY))
    text = f"{name}() is a whole number from {least} to {most}" if name in CALENDAR else ""
    range_ = between(least, most, text, whole=True)
    if not node.args:
        one = replace(CERTAIN.vectors[0], value=Value(range_, clock(name)))
        return keyed(replace(CERTAIN, vectors=(one,)), node)

    def value(one: Vector) -> Value:
        shift = one.value.since_now.single if one.value.since_now else None
        by_calendar = clock(name)
        return Value(range_, by_calendar.shifted(shift) if by_calendar and shift is not None else None)

    return _changed(node, judge, value)


def _changed(node: p.Call, judge: "Judge", value: Callable[[Vector], Value]) -> Result:
    inner = judge.result(node.args[0])
    return inner if inner.dead else valued(inner, node, value)


def _timestamp(node: p.Call, judge: "Judge") -> Term:
    read = bare(node.args[0])
    shifted = isinstance(read, p.VectorSelector) and (read.offset is not None or read.at is not None)
    since = Range(-_LOOKBACK_SECONDS, 0.0, low_why=_LOOKBACK, high_why=_PAST, nan=False)
    return _changed(node, judge, lambda one: Value(_TIME, since_now=None if shifted else since))


def _absent(node: p.Call, judge: "Judge") -> Term:
    term = judge.term(node.args[0])
    inner = term if isinstance(term, Result) else Result()
    read = bare(node.args[0])
    if isinstance(read, p.MatrixSelector):
        read = read.vector_selector
    values = _exact_values(read) if isinstance(read, p.VectorSelector) else {}
    if inner.sure == ALL_WEEK:
        text = f"{words.shown(node.args[0])} is always there, so {node.func.name} never gives anything"
        return Result(deaths=(Death("always-empty", text, node),))
    when = When(ALL_WEEK & ~inner.sure, parts=(node,)) if inner.sure else When()
    one = exactly(1.0, Why(f"{node.func.name} gives 1 or nothing"))
    return keyed(Result((Vector(NO_LABELS.give(values), Value(one), when, floats=True),)), node)


def _exact_values(read: p.VectorSelector) -> dict[str, str]:
    """The labels that `absent` takes from the matchers: of each label that is matched once, for one value."""
    found: dict[str, str] = {}
    named: set[str] = set()
    for matcher in selector(read).matchers:
        found.pop(matcher.label, None)
        if matcher.operator == "=" and matcher.label not in named | {NAME}:
            found[matcher.label] = matcher.value
        named.add(matcher.label)
    return found


def _label_replace(node: p.Call, judge: "Judge") -> Term:
    inner, label = judge.result(node.args[0]), judge.text(node.args[1])
    if inner.dead:
        return inner
    value, pattern = judge.text(node.args[2]) or "", judge.text(node.args[4])
    always = pattern in (".*", "(.*)", "") and bool(value) and "$" not in value
    if pattern == "":
        always = always and not judge.text(node.args[3])

    def change(one: Vector) -> Vector:
        labels = Labels() if label is None else one.labels.forget([label])
        if label is not None and always:
            labels = one.labels.give({label: value})
        return replace(one, labels=labels, key=None, facts={}, buckets=None)

    return keyed(inner.each(change), node)


def _label_join(node: p.Call, judge: "Judge") -> Term:
    inner, label = judge.result(node.args[0]), judge.text(node.args[1])

    def change(one: Vector) -> Vector:
        labels = Labels() if label is None else one.labels.forget([label])
        return replace(one, labels=labels, key=None, facts={}, buckets=None)

    return inner if inner.dead else keyed(inner.each(change), node)


def _info(node: p.Call, judge: "Judge") -> Term:
    inner = judge.result(node.args[0])
    return inner if inner.dead else UNKNOWN


_SPECIAL: dict[str, Callable[[p.Call, "Judge"], Term]] = {
    "time": _time,
    "pi": lambda node, judge: Number(Value(exactly(math.pi))),
    "scalar": _scalar,
    "vector": _vector,
    "timestamp": _timestamp,
    "absent": _absent,
    "absent_over_time": _absent,
    "label_replace": _label_replace,
    "label_join": _label_join,
    "info": _info,
}
