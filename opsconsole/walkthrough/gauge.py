"""What of an alert's rule is read while its test runs, and how a fault's requests act on it.

All of it comes from the tree of the rule's expression: the left side of its comparison, and what that counts.
A fault's requests are bad ones among a total: the failed among all payments, the webhooks slower than the
threshold among all webhooks. Where the rule compares a count alone, the total is one.
"""

import json
import math
import re
from contextlib import suppress
from dataclasses import dataclass

import promql_parser as p

from opsconsole import promql
from opsconsole.clients.prometheus import Prometheus, Sample
from opsconsole.errors import OpsconsoleError
from opsconsole.faults import Fault, Moved
from opsconsole.promql.trees import number, selectors, walk
from opsconsole.walkthrough.loop import Goal, Reading

__all__ = ["CannotDrive", "Count", "Gauge", "Reading"]

_PART = "opsconsole_part"
_LEFT, _BAD, _TOTAL, _SCRAPED = "left", "bad", "total", "scraped"
_HISTOGRAM_PART = re.compile(r"_(?:bucket|count)$")
_HOLDS = {
    ">": lambda value, threshold: value > threshold,
    ">=": lambda value, threshold: value >= threshold,
    "<": lambda value, threshold: value < threshold,
    "<=": lambda value, threshold: value <= threshold,
    "==": lambda value, threshold: value == threshold,
    "!=": lambda value, threshold: value != threshold,
}


class CannotDrive(OpsconsoleError):
    """This rule cannot be brought over its threshold by counting requests of this fault, and why."""


@dataclass(frozen=True)
class Count:
    """An expression and how many events each of its units stands for (the window's seconds, for a rate)."""

    expr: str
    events: float


@dataclass(frozen=True)
class Gauge:
    """What to read for a rule, and how.

    `comparison` is that of the rule's tree. `window_seconds` is the longest range that its left side looks
    back over. The comparison holds where bad ones are more than `share` of the total; `counted` tells whether
    a bad request is part of that total itself. `bad` and `total` are read beside the left side; they are None
    for a fault that takes no doses, `total` also where a count alone is compared. With `buckets`, `total` has
    the label le and bad ones are those above the bound that is the threshold.
    """

    comparison: promql.Comparison
    window_seconds: float
    share: float = math.nan
    counted: bool = False
    bad: Count | None = None
    total: Count | None = None
    buckets: bool = False

    @classmethod
    def of(cls, expr: str, fault: Fault) -> "Gauge":
        """The gauge of a rule's expression for this fault.

        Raises CannotDrive with the reason where there is none, and Nonsense for what is not PromQL.
        """
        comparison = promql.comparison(promql.parse(expr))
        if comparison is None:
            raise CannotDrive("the rule compares nothing with a number", where=expr)
        left = _bare(promql.parse(comparison.left))
        window = max((s.range_seconds or 0.0 for s in selectors(left)), default=0.0)
        if not fault.counted:
            return cls(comparison, window)
        if comparison.op not in (">", ">="):
            raise _cannot(comparison, f"is true at {comparison.op}, to which nothing can be added")
        if window <= 0:
            raise _cannot(comparison, "looks back over no range, so what it counts cannot be told")
        if any(s.shifted for s in selectors(left)):
            raise _cannot(comparison, "looks at another time than now")
        return _quantile(comparison, window, left, fault) or _ratio(comparison, window, left, fault)

    async def read(self, prometheus: Prometheus, job: str) -> Reading:
        """One reading, with one query. Of several series, the one of this job, else the greatest.

        Raises Unseen as `Prometheus.query` does.
        """
        parts: dict[str, list[Sample]] = {}
        for sample in await prometheus.query(self.query(job)):
            parts.setdefault(sample.labels.pop(_PART, ""), []).append(sample)
        left = _chosen(parts.get(_LEFT, []), job)
        value = left.value if left else math.nan
        bad, total = self._counts(parts, left, job)
        return Reading(
            scraped_at=max((sample.value for sample in parts.get(_SCRAPED, [])), default=0.0),
            value=value if math.isfinite(value) else None,
            over=left is not None and _HOLDS[self.comparison.op](value, self.comparison.threshold),
            bad=bad,
            total=total,
            evaluated_at=left.at if left else 0.0,
        )

    def goal(
        self,
        fault: Fault,
        *,
        scrape_seconds: float,
        ceiling: float = math.inf,
        answer_seconds: float = 0.0,
    ) -> Goal:
        """What the closed loop has to hold; `ceiling` is the share that must not be reached, that of the
        `Gauge` of the next alert on the same left side."""
        return Goal(
            share=self.share,
            ceiling=ceiling,
            window_seconds=self.window_seconds,
            counted=self.counted,
            dilutes=bool(fault.passing_moves) and self.total is not None,
            scrape_seconds=scrape_seconds,
            answer_seconds=answer_seconds,
            alone=self.total is None,
        )

    def query(self, job: str) -> str:
        """The one query of a reading: each of its parts marked with a label."""
        up = f"up{{job={json.dumps(job, ensure_ascii=False)}}}"
        parts = {_LEFT: self.comparison.left}
        if self.bad is not None and not self.buckets:
            parts[_BAD] = self.bad.expr
        if self.total is not None:
            parts[_TOTAL] = self.total.expr
        parts[_SCRAPED] = f"min(timestamp({up}) and ({up} == 1))"
        marked = (f'label_replace({expr}, "{_PART}", "{part}", "", "")' for part, expr in parts.items())
        return " or ".join(marked)

    def _counts(self, parts: dict[str, list[Sample]], left: Sample | None, job: str) -> tuple[float, float]:
        bad, total = parts.get(_BAD, []), parts.get(_TOTAL, [])
        if self.buckets and self.total is not None:
            buckets = _of_series(total, left, job)
            counted = _within(buckets, math.inf) * self.total.events
            return counted - _within(buckets, self.comparison.threshold) * self.total.events, counted
        if self.bad is None:
            return 0.0, 0.0
        return (
            _sum(_of_series(bad, left, job)) * self.bad.events,
            _sum(_of_series(total, left, job)) * self.total.events if self.total else 1.0,
        )


def _cannot(comparison: promql.Comparison, reason: str) -> CannotDrive:
    return CannotDrive(
        f"the rule {reason}", where=f"{comparison.left} {comparison.op} {comparison.threshold:g}"
    )


def _quantile(comparison: promql.Comparison, window: float, left: p.Expr, fault: Fault) -> Gauge | None:
    if not (isinstance(left, p.Call) and left.func.name == "histogram_quantile"):
        return None
    quantile, buckets = number(left.args[0]), _bare(left.args[1])
    if quantile is None or not 0 < quantile < 1:
        raise _cannot(comparison, "takes a quantile that is no number between 0 and 1")
    _must_move(comparison, fault, buckets)
    total = Count(buckets.prettify(), _events(comparison, window, buckets))
    return Gauge(comparison, window, 1 - quantile, True, total=total, buckets=True)


def _ratio(comparison: promql.Comparison, window: float, left: p.Expr, fault: Fault) -> Gauge:
    left, scale = _scaled(left)
    if isinstance(left, p.BinaryExpr) and str(left.op) == "/":
        (bad, times), (total, over) = _scaled(left.lhs), _scaled(left.rhs)
        _must_move(comparison, fault, bad)
        return Gauge(
            comparison,
            window,
            comparison.threshold / (scale * times / over),
            _moves(fault, total),
            Count(bad.prettify(), _events(comparison, window, bad)),
            Count(total.prettify(), _events(comparison, window, total)),
        )
    _must_move(comparison, fault, left)
    events = _events(comparison, window, left)
    return Gauge(
        comparison, window, comparison.threshold / scale * events, bad=Count(left.prettify(), events)
    )


def _must_move(comparison: promql.Comparison, fault: Fault, tree: p.Expr) -> None:
    if not _moves(fault, tree):
        moved = " and ".join(dict.fromkeys(moved.metric for moved in fault.moves)) or "nothing"
        raise _cannot(comparison, f"does not count what {fault.name} does, which moves {moved}")


def _moves(fault: Fault, tree: p.Expr) -> bool:
    return any(_matches(selector, moved) for selector in selectors(tree) for moved in fault.moves)


def _matches(selector: promql.Selector, moved: Moved) -> bool:
    """Whether the series may be one of these: a label of which nothing is known counts as matching."""
    if selector.metric and _histogram(selector.metric) != _histogram(moved.metric):
        return False
    known = {**moved.labels, "__name__": moved.metric}
    return all(_accepts(m, known[m.label]) for m in selector.matchers if m.label in known)


def _accepts(matcher: promql.Matcher, value: str) -> bool:
    with suppress(re.error):
        equal = matcher.operator in ("=", "!=")
        found = value == matcher.value if equal else re.fullmatch(matcher.value, value) is not None
        return found is not matcher.operator.startswith("!")
    return True


def _histogram(metric: str) -> str:
    return _HISTOGRAM_PART.sub("", metric)


def _events(comparison: promql.Comparison, window: float, tree: p.Expr) -> float:
    """How many events a unit of this expression is: one of an increase, a window's seconds of a rate."""
    called = {node.func.name for node in walk(tree) if isinstance(node, p.Call)}
    if called & {"rate", "increase"} not in ({"rate"}, {"increase"}):
        raise _cannot(comparison, "is over neither a rate nor an increase, so what it counts cannot be told")
    return window if "rate" in called else 1.0


def _bare(tree: p.Expr) -> p.Expr:
    while isinstance(tree, p.ParenExpr):
        tree = tree.expr
    return tree


def _scaled(tree: p.Expr) -> tuple[p.Expr, float]:
    """The tree without the numbers that it is multiplied or divided by, and their product."""
    tree = _bare(tree)
    if isinstance(tree, p.BinaryExpr):
        left, right = number(tree.lhs), number(tree.rhs)
        if str(tree.op) == "*" and (factor := left if left is not None else right):
            inner, scale = _scaled(tree.rhs if left is not None else tree.lhs)
            return inner, scale * factor
        if str(tree.op) == "/" and right:
            inner, scale = _scaled(tree.lhs)
            return inner, scale / right
        if str(tree.op) == "/":  # 100 * a / b is (100 * a) / b
            return tree, 1.0
    return tree, 1.0


def _chosen(samples: list[Sample], job: str) -> Sample | None:
    own = [sample for sample in samples if sample.labels.get("job") == job] or samples
    return max(own, key=lambda sample: -math.inf if math.isnan(sample.value) else sample.value, default=None)


def _of_series(samples: list[Sample], left: Sample | None, job: str) -> list[Sample]:
    """Those that belong to the series of the left side; where it is absent, those of the job, else all."""
    if left is not None:
        of_left = [sample for sample in samples if left.labels.items() <= sample.labels.items()]
        return of_left or samples
    return [sample for sample in samples if sample.labels.get("job") == job] or samples


def _sum(samples: list[Sample]) -> float:
    return math.fsum(sample.value for sample in samples if math.isfinite(sample.value))


def _within(buckets: list[Sample], most: float) -> float:
    """How many are in the buckets up to `most`, for each series of them; le is `1000` or `1000.0`."""
    bounds = [
        (float(bucket.labels["le"]), bucket) for bucket in buckets if _is_number(bucket.labels.get("le"))
    ]
    highest = max((bound for bound, _ in bounds if bound <= most), default=None)
    return _sum([bucket for bound, bucket in bounds if bound == highest])


def _is_number(text: str | None) -> bool:
    with suppress(ValueError):
        return text is not None and not math.isnan(float(text))
    return False
