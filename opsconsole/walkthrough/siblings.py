"""Loaded alerts that judge the same: what fires with an alert under test, and what must not."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from opsconsole import promql
from opsconsole.clients.prometheus import Rule
from opsconsole.errors import Nonsense
from opsconsole.promql import Comparison

_UP, _DOWN = (">", ">="), ("<", "<=")
_PARTS = ("_bucket", "_sum", "_count")


@dataclass(frozen=True)
class Judge:
    """A loaded alerting rule: its comparison (None where it has none, or cannot be read), the metrics that it
    reads, those of a histogram under its one name, and the longest range over which it reads them."""

    rule: Rule
    comparison: Comparison | None
    metrics: frozenset[str]
    window_seconds: float

    @property
    def name(self) -> str:
        return self.rule.name


def judges(rules: Iterable[Rule]) -> list[Judge]:
    """Every alerting rule among these."""
    return [_judge(rule) for rule in rules if rule.kind == "alerting"]


def _judge(rule: Rule) -> Judge:
    try:
        tree = promql.parse(rule.expr)
    except Nonsense:
        return Judge(rule, None, frozenset(), 0.0)
    selectors = promql.selectors(tree)
    return Judge(
        rule,
        promql.comparison(tree),
        frozenset(base(selector.metric) for selector in selectors if selector.metric),
        max((selector.range_seconds or 0.0 for selector in selectors), default=0.0),
    )


def base(metric: str) -> str:
    """The metric without the suffix of a histogram's part."""
    return next((metric.removesuffix(part) for part in _PARTS if metric.endswith(part)), metric)


def ceiling(ours: Judge, all_judges: Iterable[Judge]) -> float | None:
    """The threshold of the next alert on the same left side, None where there is none."""
    mine = ours.comparison
    if mine is None:
        return None
    beyond = [other.threshold for other, _ in _same_sense(ours, all_judges) if _further(other, mine)]
    return min(beyond, key=lambda threshold: abs(threshold - mine.threshold), default=None)


def companions(ours: Judge, all_judges: Iterable[Judge]) -> list[Judge]:
    """The other alerts that cannot but go off with ours."""
    mine = ours.comparison
    if mine is None:
        return []
    return [judge for other, judge in _same_sense(ours, all_judges) if not _further(other, mine)]


def extremity(comparison: Comparison | None) -> float:
    """How far the value must go; of two alerts on the same left side, the lower one is met first."""
    if comparison is None:
        return 0.0
    return -comparison.threshold if comparison.op in _DOWN else comparison.threshold


def _same_sense(ours: Judge, all_judges: Iterable[Judge]) -> Iterator[tuple[Comparison, Judge]]:
    """The others on the same left side whose value goes over its threshold in the same direction; equalities
    have none, and go with the very same alone."""
    mine = ours.comparison
    for judge in all_judges:
        other = judge.comparison
        if judge.rule is ours.rule or other is None or mine is None or other.left != mine.left:
            continue
        directed = any({mine.op, other.op} <= set(direction) for direction in (_UP, _DOWN))
        if directed or (other.op == mine.op and other.threshold == mine.threshold):
            yield other, judge


def _further(other: Comparison, mine: Comparison) -> bool:
    return extremity(other) > extremity(mine)
