"""Why an expression can never return data, given the series that exist.

Only what is proven is said: a metric with no series, a label that no series of a metric carries, a match
whose sides always differ. A label's value that was not seen yet proves nothing.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import promql_parser as p

from opsconsole.promql.trees import Matcher, Selector, children, selector, walk

_HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")
# Prometheus' own: their series come and go with the alerts.
_COME_AND_GO = {"ALERTS", "ALERTS_FOR_STATE"}
_KEEP_LABELS = {"topk", "bottomk", "limitk", "limit_ratio"}
_NAME = "__name__"


class World(Protocol):
    """The series that exist, over at least as long a time as the expression looks back."""

    def labels_of(self, metric: str) -> frozenset[str] | None:
        """The names of labels that any series of the metric carries; None where it has no series."""

    def common_labels_of(self, metric: str) -> frozenset[str]:
        """The names of labels that every series of the metric carries; empty where that is not known."""


class SeriesWorld:
    """The world of a list of label sets, such as the answer to `GET /api/v1/series`."""

    def __init__(self, series: Iterable[Mapping[str, str]]) -> None:
        self._any: dict[str, frozenset[str]] = {}
        self._every: dict[str, frozenset[str]] = {}
        self._values: dict[tuple[str, str], set[str]] = {}
        for each in series:
            metric, labels = each[_NAME], frozenset(name for name, value in each.items() if value) - {_NAME}
            self._any[metric] = self._any.get(metric, labels) | labels
            self._every[metric] = self._every.get(metric, labels) & labels
            for name in labels:
                self._values.setdefault((metric, name), set()).add(each[name])

    def labels_of(self, metric: str) -> frozenset[str] | None:
        return self._any.get(metric)

    def common_labels_of(self, metric: str) -> frozenset[str]:
        return self._every.get(metric, frozenset())

    def without(self, metrics: Collection[str]) -> "SeriesWorld":
        """The same world, had these metrics no series."""
        rest = SeriesWorld(())
        rest._any = {metric: labels for metric, labels in self._any.items() if metric not in metrics}
        rest._every = self._every
        rest._values = self._values
        return rest

    def values_of(self, metric: str, label: str) -> frozenset[str]:
        """The values of the label on the metric's series."""
        return frozenset(self._values.get((metric, label), ()))


@dataclass(frozen=True, slots=True)
class _Never:
    reason: str


@dataclass(frozen=True, slots=True)
class _Scalar:
    """A number or a string: it has no labels and is always there."""


@dataclass(frozen=True, slots=True)
class _Vector:
    """What is known of the labels of every series that a vector may have.

    `always`: each has them; `possible`: none has others (None: any may be there); `buckets`: all come from
    series with `le`, that is from the buckets of classic histograms.
    """

    always: frozenset[str] = frozenset()
    possible: frozenset[str] | None = None
    buckets: bool = False

    def without(self, labels: Iterable[str]) -> "_Vector":
        gone = frozenset(labels)
        possible = None if self.possible is None else self.possible - gone
        return replace(self, always=self.always - gone, possible=possible)

    def only(self, labels: Iterable[str]) -> "_Vector":
        kept = frozenset(labels)
        possible = kept if self.possible is None else self.possible & kept
        return replace(self, always=self.always & kept, possible=possible)

    def perhaps(self, labels: Iterable[str]) -> "_Vector":
        added = frozenset(labels)
        possible = None if self.possible is None else self.possible | added
        return replace(self, always=self.always - added, possible=possible)


_Result = _Never | _Scalar | _Vector
_UNLABELLED = _Vector(possible=frozenset())


def never(tree: p.Expr, world: World) -> str | None:
    """Why the expression can never return data given what exists; None where that is not proven."""
    result = _evaluate(tree, world)
    return result.reason if isinstance(result, _Never) else None


def ungrouped(tree: p.Expr, world: World) -> list[str]:
    """The labels in a `by` that nothing beneath it can carry, each once.

    Not an empty result: all series then fall into one group, which is seldom meant.
    """
    found: dict[str, None] = {}
    for node in walk(tree):
        if isinstance(node, p.AggregateExpr) and node.modifier and _is(node.modifier.type, "By"):
            inner = _evaluate(node.expr, world)
            if isinstance(inner, _Vector) and inner.possible is not None:
                found.update(
                    dict.fromkeys(label for label in node.modifier.labels if label not in inner.possible)
                )
    return list(found)


def _evaluate(tree: p.Expr, world: World) -> _Result:
    match tree:
        case p.VectorSelector():
            return _select(selector(tree), world)
        case p.BinaryExpr():
            return _binary(tree, _evaluate(tree.lhs, world), _evaluate(tree.rhs, world))
        case p.AggregateExpr():
            return _aggregate(tree, _evaluate(tree.expr, world))
        case p.Call():
            return _call(tree, [_evaluate(argument, world) for argument in tree.args])
        case p.NumberLiteral() | p.StringLiteral():
            return _Scalar()
        case p.SubqueryExpr() if tree.offset is not None or tree.at is not None:
            return _Vector()
    inner = children(tree)
    return _evaluate(inner[0], world) if len(inner) == 1 else _Vector()


def _select(chosen: Selector, world: World) -> _Result:
    needed = frozenset(m.label for m in chosen.matchers if m.label != _NAME and _needs_a_value(m))
    if chosen.metric is None or chosen.metric in _COME_AND_GO or chosen.shifted:
        return _Vector(always=needed)
    carried = world.labels_of(chosen.metric)
    if carried is None:
        return _Never(_no_series(chosen.metric, world))
    if missing := sorted(needed - carried):
        return _Never(f"no series of {chosen.metric} carries the label {missing[0]}")
    every = world.common_labels_of(chosen.metric) - {_NAME}
    empty = [m.label for m in chosen.matchers if m.operator == "=" and not m.value]
    return _Vector(every | needed, carried - {_NAME}, "le" in every).without(empty)


def _no_series(metric: str, world: World) -> str:
    if parts := [metric + part for part in _HISTOGRAM_PARTS if world.labels_of(metric + part) is not None]:
        return f"{metric} has no series: it is a histogram, with series under {', '.join(parts)} alone"
    return f"{metric} has no series"


def _needs_a_value(matcher: Matcher) -> bool:
    """Whether a series that lacks the label is refused."""
    if matcher.operator in ("=", "!="):
        return bool(matcher.value) == (matcher.operator == "=")
    from amlint.routing import RoutingError, compile_regex  # Go's regular expressions in Python's

    try:
        takes_empty = compile_regex(matcher.value).fullmatch("") is not None
    except RoutingError:
        return False
    return takes_empty == (matcher.operator == "!~")


def _aggregate(tree: p.AggregateExpr, inner: _Result) -> _Result:
    if not isinstance(inner, _Vector):
        return inner
    operator, modifier = str(tree.op), tree.modifier
    if operator in _KEEP_LABELS:
        return inner
    if modifier is None:
        grouped = inner.only(())
    elif _is(modifier.type, "By"):
        grouped = inner.only(modifier.labels)
    else:
        grouped = inner.without(modifier.labels)
    if operator == "count_values" and isinstance(tree.param, p.StringLiteral):
        return replace(grouped.perhaps([tree.param.val]), buckets=False)
    return replace(grouped, buckets=inner.buckets and operator not in ("count", "group"))


def _call(tree: p.Call, arguments: list[_Result]) -> _Result:
    name = tree.func.name
    if name in ("absent", "absent_over_time", "info"):
        return _Vector()
    if tree.func.return_type != p.ValueType.Vector:
        return _Scalar()
    for argument in arguments:
        if isinstance(argument, _Never):
            return argument
    vector = next((argument for argument in arguments if isinstance(argument, _Vector)), _UNLABELLED)
    if name in ("label_replace", "label_join"):
        target = tree.args[1]
        changed = [target.val] if isinstance(target, p.StringLiteral) else []
        return replace(vector.perhaps(changed), buckets=False) if changed else _Vector()
    if name in ("histogram_quantile", "histogram_fraction"):
        if vector.buckets and vector.possible is not None and "le" not in vector.possible:
            return _Never(f"{name} needs the label le, which is aggregated away beneath it")
        return replace(vector.without(["le"]), buckets=False)
    return vector


def _binary(tree: p.BinaryExpr, left: _Result, right: _Result) -> _Result:
    operator = str(tree.op)
    if operator == "or":
        return _either(left, right)
    if tree.modifier and _fills(tree.modifier):
        return _Vector()
    if isinstance(left, _Never):
        return left
    if operator == "unless":
        return left
    if isinstance(right, _Never):
        return right
    if isinstance(left, _Scalar):
        return right
    if isinstance(right, _Scalar):
        return left
    if reason := _mismatch(operator, tree.modifier, left, right):
        return _Never(reason)
    return left if operator == "and" else _joined(tree.modifier, left, right)


def _either(left: _Result, right: _Result) -> _Result:
    if isinstance(left, _Never) and isinstance(right, _Never):
        return left if left.reason == right.reason else _Never(f"{left.reason}; {right.reason}")
    if not isinstance(left, _Vector):
        return right
    if not isinstance(right, _Vector):
        return left
    both_known = left.possible is not None and right.possible is not None
    possible = (left.possible or frozenset()) | (right.possible or frozenset()) if both_known else None
    return _Vector(left.always & right.always, possible, left.buckets and right.buckets)


def _mismatch(operator: str, modifier: p.BinModifier | None, left: _Vector, right: _Vector) -> str | None:
    """Why no series of one side can match any of the other: a label that is always on one, never on the
    other, and takes part in the match."""
    matching = modifier.matching if modifier else None
    for side, has, lacks in (("left", left, right), ("right", right, left)):
        if lacks.possible is None:
            continue
        differing = has.always - lacks.possible
        if matching:
            named = frozenset(matching.labels)
            differing = differing & named if _is(matching.type, "Include") else differing - named
        if differing:
            labels = ", ".join(sorted(differing))
            return f"`{operator}` matches nothing: only its {side} side has the label {labels}"
    return None


def _joined(modifier: p.BinModifier | None, left: _Vector, right: _Vector) -> _Vector:
    """The labels of arithmetic or a comparison between two vectors."""
    if modifier is None:
        return replace(left, buckets=False)
    if modifier.card in (p.VectorMatchCardinality.ManyToOne, p.VectorMatchCardinality.OneToMany):
        many = left if modifier.card == p.VectorMatchCardinality.ManyToOne else right
        return replace(many.perhaps(modifier.group_labels or ()), buckets=False)
    if modifier.matching is None:
        return replace(left, buckets=False)
    named = modifier.matching.labels
    kept = left.only(named) if _is(modifier.matching.type, "Include") else left.without(named)
    return replace(kept, buckets=False)


def _fills(modifier: p.BinModifier) -> bool:
    """Whether one side's series go on without a match."""
    return modifier.fill_values.lhs is not None or modifier.fill_values.rhs is not None


def _is(kind: object, name: str) -> bool:
    return str(kind).rpartition(".")[2] == name
