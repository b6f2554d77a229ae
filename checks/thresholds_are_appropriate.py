"""How often each alert would have fired over the history there is, for a person to judge its threshold."""

import asyncio
import math
import operator
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass

from opsconsole.checkkit import (
    Days,
    Finding,
    Known,
    Prometheus,
    Reference,
    Rule,
    Seen,
    Series,
    SignOff,
    Unseen,
    holds_one_scrape,
    known,
    lasting,
    promql,
)

DIAGNOSIS = ("prometheus_answers", "rules_are_loading")

_FINEST_STEP_SECONDS = 60.0
_MOST_POINTS = 10_000
"""Prometheus answers at most 11,000 points a series."""

_BARS = "▁▂▃▄▅▆▇█"
_SPARKLINE_WIDTH = 30
_DAY_SECONDS = 86_400.0
_HOUR_SECONDS = 3600.0

_NEVER_PASSED = ("out-of-range", "above-highest-bucket")
_DOUBTFUL = ("percentage-fraction", "unit-mismatch", "counter-as-gauge", "gauge-as-counter")

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


async def check(
    prometheus: Prometheus, reference: Reference | None = None, *, days: Days = 15, metric: str = "up"
) -> AsyncIterator[Finding | Seen]:
    """Per alert: firings and their length, the 99th percentile against the threshold, a sparkline of the
    course; a threshold that no value can pass, or that looks to be of another scale or unit. The step is a
    third of `for` or a hundredth of the window, at least a minute: starts and lengths are right to that.
    `metric` tells how far the history reaches back."""
    loaded, now, earliest = await asyncio.gather(
        prometheus.rules(),
        prometheus.now(),
        prometheus.earliest(metric, within_seconds=days * _DAY_SECONDS),
    )
    names = {rule.name for rule in reference.rules()} if reference is not None else None
    alerting = [rule for rule in loaded if rule.kind == "alerting"]
    rules = [rule for rule in alerting if names is None or rule.name in names]
    if not rules:
        yield Finding(summary="no alert rule is loaded, so there is no threshold to judge")
        return
    for name in sorted((names or set()) - {rule.name for rule in rules}):
        yield Finding(subject=name, summary="is not loaded, so its threshold cannot be judged")
    if earliest is None:
        yield Finding(summary=f"Prometheus has no sample of {metric}, so there is no history to judge by")
        return
    recording = [rule for rule in loaded if rule.kind == "recording"]
    exists, courses = await asyncio.gather(
        known(prometheus, [*rules, *recording]),
        asyncio.gather(*(_course(prometheus, rule, earliest, now) for rule in rules)),
    )
    for rule, course in zip(rules, courses, strict=True):
        yield Seen(course.text, subject=rule.name)
        if finding := None if course.blank else _never_passed(rule, exists):
            yield finding
    if blank := [rule for rule, course in zip(rules, courses, strict=True) if course.blank]:
        which = ", ".join(await _blank(prometheus, blank, exists, now))
        raise Unseen(f"no values to judge by, in all the history: {which}")
    span = lasting(now - earliest)
    doubts = [doubt for rule in rules for doubt in _doubts(rule, exists)]
    yield Seen(f"{len(rules)} alerts over the last {span}")
    question = f"Are the thresholds of these {len(rules)} alerts appropriate for production?"
    raise SignOff("; ".join([question, *doubts]))


async def _blank(prometheus: Prometheus, rules: Sequence[Rule], exists: Known, now: float) -> list[str]:
    """The rules by name, each with the proof that it has no values, or the metrics that it has none or too
    little of."""
    told = []
    for rule in rules:
        read = dict.fromkeys(one.metric for one in promql.selectors(promql.parse(rule.expr)) if one.metric)
        why = [reason.summary for reason in exists.never(rule) if not reason.guess][:1]
        short = holds_one_scrape([rule], [], exists.scrape_interval_seconds)
        why = why or [finding.summary for finding in short]
        why = why or [f"no series of {metric}" for metric in read if not exists.has_series(metric)]
        for metric in read if not why else ():
            earliest = await prometheus.earliest(metric)
            if earliest is None or now - earliest < _HOUR_SECONDS:
                why.append(f"{metric} is not an hour old, or gone")
        told.append(f"{rule.name} ({', '.join(why)})" if why else rule.name)
    return told


def _never_passed(rule: Rule, exists: Known) -> Finding | None:
    for reason in exists.never(rule):
        if reason.kind in _NEVER_PASSED and not reason.guess:
            return Finding(
                subject=rule.name,
                summary=f"its threshold can never be passed: {reason.summary}",
                detail=rule.expr,
                remedy=f"instead: {reason.correction}" if reason.correction else "",
            )
    return None


def _doubts(rule: Rule, exists: Known) -> Iterator[str]:
    for warned in exists.warnings(rule):
        if warned.kind in _DOUBTFUL:
            yield f"{rule.name}: {warned.summary}"


@dataclass(frozen=True)
class _Condition:
    """What must hold for a rule to fire, and for how long."""

    holds: Callable[[float], bool]
    for_seconds: float
    step_seconds: float

    def firings(self, points: Sequence[tuple[float, float]]) -> list[float]:
        """The length of each firing in seconds; a gap of more than one step ends one."""
        lengths: list[float] = []
        began = last = -math.inf
        holding = False
        for at, value in (*points, (math.inf, 0.0)):
            if holding and (at - last > 1.5 * self.step_seconds or not self.holds(value)):
                if (held := last - began + self.step_seconds) > self.for_seconds:
                    lengths.append(held - self.for_seconds)
                holding = False
            if not holding and self.holds(value):
                began, holding = at, True
            last = at
        return lengths


@dataclass(frozen=True)
class _Course:
    """What became of an alert in words; `blank` where what its threshold is compared with had no value."""

    text: str
    blank: bool = False


async def _course(prometheus: Prometheus, rule: Rule, start: float, end: float) -> _Course:
    tree = promql.parse(rule.expr)
    window = max((selector.range_seconds or 0.0 for selector in promql.selectors(tree)), default=0.0)
    step = max(_FINEST_STEP_SECONDS, rule.for_seconds / 3, window / 100, (end - start) / _MOST_POINTS)
    comparison = promql.comparison(tree)

    async def over_time(query: str) -> list[Series]:
        return await prometheus.query_range(query, start=start, end=end, step_seconds=step)

    whole = _Condition(lambda value: True, rule.for_seconds, step)
    if comparison is None:
        return _Course(f"{_firings(whole, await over_time(rule.expr))}; it has no threshold")
    left, threshold = await over_time(comparison.left), comparison.threshold
    if comparison.side:
        text = _firings(whole, await over_time(rule.expr))
    else:
        compare = _COMPARE[comparison.op]
        exceeds = _Condition(lambda value: compare(value, threshold), rule.for_seconds, step)
        text = _firings(exceeds, left)
    points = sorted(point for one in left for point in one.points if math.isfinite(point[1]))
    if not points:
        return _Course(
            f"no values, so nothing to say of the threshold {comparison.op} {threshold:g}", blank=True
        )
    values = [value for _, value in points]
    p99 = sorted(values)[math.ceil(0.99 * len(values)) - 1]
    against = f"99th percentile {p99:.3g}, threshold {comparison.op} {threshold:g}"
    return _Course(f"{text}; {against}  {_sparkline(values)}")


def _firings(condition: _Condition, series: list[Series]) -> str:
    lengths = [length for one in series for length in condition.firings(one.points)]
    if not lengths:
        return "would not have fired"
    return f"would have fired {len(lengths)} times, for {lasting(max(lengths))} at most"


def _sparkline(values: Sequence[float]) -> str:
    """The highest value in each of thirty equal stretches."""
    size = max(1, math.ceil(len(values) / _SPARKLINE_WIDTH))
    peaks = [max(values[at : at + size]) for at in range(0, len(values), size)]
    low, span = min(peaks), max(peaks) - min(peaks)
    return "".join(_BARS[int((peak - low) / span * (len(_BARS) - 1)) if span else 0] for peak in peaks)
