"""What can be guessed of the series from the expressions alone: which metrics there may be, of which kind,
with which labels."""

from collections.abc import Iterable, Iterator

import promql_parser as p

from opsconsole.errors import Nonsense
from opsconsole.promql import parse
from opsconsole.promql.trees import children, selector, walk
from opsconsole.rehearse.load.series import expressions
from opsconsole.rehearse.model import Panel, Rule
from opsconsole.rehearse.schema import Kind, Metric, Schema

_OF_COUNTERS = frozenset({"rate", "irate", "increase", "resets"})
_OF_GAUGES = frozenset(
    {"delta", "idelta", "deriv", "predict_linear", "holt_winters", "double_exponential_smoothing"}
)
_OF_HISTOGRAMS = frozenset(
    {"histogram_quantile", "histogram_fraction", "histogram_count", "histogram_sum", "histogram_avg"}
)


def recorded(rules: Iterable[Rule]) -> frozenset[str]:
    """The names that recording rules make."""
    return frozenset(rule.record for rule in rules if rule.record)


def guessed(rules: Iterable[Rule], panels: Iterable[Panel] = ()) -> Schema:
    """A schema of the metrics that the expressions name, without series.

    `possible` are the labels that some expression matches, groups or joins by where the metric is read; a
    metric may have others too. Kinds come from names and from use: what `rate` is taken of is a counter.
    What recording rules make is no metric here, and what is not PromQL is passed over.
    """
    rules = list(rules)
    guess = _Guess()
    for expr in expressions(rules, panels):
        try:
            guess.read(parse(expr), frozenset())
        except Nonsense:
            continue
    made = recorded(rules)
    metrics = {metric.name: metric for metric in guess.metrics() if metric.name not in made}
    return Schema(
        origin="guess",
        metrics=metrics,
        recorded=made,
        families={
            name.removesuffix("_bucket"): metric.kind
            for name, metric in metrics.items()
            if metric.kind == "histogram" and not name.endswith(("_sum", "_count"))
        },
        told="guessed from the expressions: no metrics and no environment were given",
    )


class _Guess:
    """What the expressions read so far tell of the metrics they name."""

    def __init__(self) -> None:
        self._labels: dict[str, set[str]] = {}
        self._kinds: dict[str, Kind] = {}

    def read(self, node: p.Expr, outer: frozenset[str]) -> None:
        """An expression whose series are grouped or joined by the labels `outer` further out."""
        match node:
            case p.VectorSelector():
                self._select(node, outer)
            case p.AggregateExpr():
                named = frozenset(node.modifier.labels) if node.modifier else frozenset()
                self.read(node.expr, outer | named if _is_without(node) else named)
            case p.BinaryExpr():
                left, right = _joined(node)
                self.read(node.lhs, outer | left)
                self.read(node.rhs, outer | right)
            case p.Call():
                self._call(node)
                for argument in node.args:
                    self.read(argument, outer - _made_by(node))
            case _:
                for inner in children(node):
                    self.read(inner, outer)

    def metrics(self) -> Iterator[Metric]:
        for name, labels in self._labels.items():
            yield Metric(name=name, kind=self._kind(name), possible=frozenset(labels))

    def _select(self, node: p.VectorSelector, labels: frozenset[str]) -> None:
        chosen = selector(node)
        if chosen.metric:
            known = self._labels.setdefault(chosen.metric, set())
            known.update(labels, (matcher.label for matcher in chosen.matchers))
            known.discard("__name__")

    def _call(self, node: p.Call) -> None:
        name = node.func.name
        direct: Iterable[p.Expr] = walk(node) if name in _OF_HISTOGRAMS else node.args
        for inner in direct:
            read = inner.vector_selector if isinstance(inner, p.MatrixSelector) else inner
            if not isinstance(read, p.VectorSelector) or not (metric := selector(read).metric):
                continue
            if name in _OF_HISTOGRAMS:
                self._kinds[metric] = "histogram"
            elif name in _OF_COUNTERS:
                self._kinds.setdefault(metric, "counter")
            elif name in _OF_GAUGES:
                self._kinds.setdefault(metric, "gauge")

    def _kind(self, name: str) -> Kind:
        if name.endswith("_bucket"):
            return "histogram"
        base, _, ending = name.rpartition("_")
        if ending in ("sum", "count") and f"{base}_bucket" in self._labels:
            return "histogram"
        return "counter" if name.endswith("_total") else self._kinds.get(name, "unknown")


def _is_without(node: p.AggregateExpr) -> bool:
    return node.modifier is not None and str(node.modifier.type).endswith("Without")


def _joined(node: p.BinaryExpr) -> tuple[frozenset[str], frozenset[str]]:
    """The labels that the two sides are joined by, and those that `group_left` takes from the right side or
    `group_right` from the left."""
    modifier = node.modifier
    if modifier is None:
        return frozenset(), frozenset()
    matched = frozenset(modifier.matching.labels) if modifier.matching else frozenset()
    taken = frozenset(modifier.group_labels or ())
    if modifier.card == p.VectorMatchCardinality.OneToMany:
        return matched | taken, matched
    return matched, matched | taken


def _made_by(node: p.Call) -> frozenset[str]:
    """The label that label_replace or label_join writes: what is beneath need not have it."""
    target = node.args[1] if node.func.name in ("label_replace", "label_join") else None
    return frozenset([target.val]) if isinstance(target, p.StringLiteral) else frozenset()
