"""How often each alert would have fired over the history there is, for a person to judge its threshold."""

import math
from collections.abc import AsyncIterator, Sequence

from opsconsole.checkkit import Finding, Prometheus, Reference, Seen, SignOff, lasting, promql

DIAGNOSIS = ("prometheus_answers", "rules_are_loading")

_FINEST_STEP_SECONDS = 60.0
_MOST_POINTS = 10_000
"""Prometheus answers at most 11,000 points a series."""

_BARS = "▁▂▃▄▅▆▇█"
_SPARKLINE_WIDTH = 30


async def check(
    prometheus: Prometheus, reference: Reference | None = None, *, days: int = 15
) -> AsyncIterator[Finding | Seen]:
    """Per alert: firings and their length, the 99th percentile against the threshold, a sparkline of the
    daily course. The step is a fifth of `for`, so that starts and lengths are right to that."""
    names = {rule.name for rule in reference.rules()} if reference is not None else None
    rules = [
        rule
        for rule in await prometheus.rules()
        if rule.kind == "alerting" and (names is None or rule.name in names)
    ]
    if not rules:
        yield Finding(summary="no alert rule is loaded, so there is no threshold to judge")
        return
    now = await prometheus.now()
    oldest = max(now - days * 86_400, await prometheus.earliest())
    for rule in rules:
        step = max(_FINEST_STEP_SECONDS, rule.for_seconds / 5, (now - oldest) / _MOST_POINTS)
        comparison = promql.comparison(promql.parse(rule.expr))
        query = comparison.left if comparison else rule.expr
        series = await prometheus.query_range(query, start=oldest, end=now, step_seconds=step)
        threshold = comparison.threshold if comparison else -math.inf
        over = _OPERATORS[comparison.op] if comparison else _OPERATORS[">"]
        yield Seen(_judgement(series, over, threshold, rule.for_seconds, step), subject=rule.name)
    raise SignOff(
        f"Are the thresholds of these {len(rules)} alerts appropriate for production, by the last {lasting(now - oldest)}?"
    )


_OPERATORS = {
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    "==": lambda value, bound: value == bound,
    "!=": lambda value, bound: value != bound,
}


def _judgement(series, over, threshold: float, for_seconds: float, step: float) -> str:
    firings = [
        length for one in series for length in _firings(one.points, over, threshold, for_seconds, step)
    ]
    values = sorted(value for one in series for _, value in one.points if not math.isnan(value))
    text = f"would have fired {len(firings)} times" if firings else "would not have fired"
    if firings:
        text += f", {lasting(sum(firings))} in all, {lasting(max(firings))} at most"
    if not values:
        return f"{text}; no values"
    p99 = values[min(len(values) - 1, math.ceil(0.99 * len(values)) - 1)]
    against = f" against {threshold:g}" if math.isfinite(threshold) else ""
    return f"{text}; 99 % of values up to {p99:.4g}{against}  {_sparkline(values_over_time(series))}"


def _firings(points, over, threshold: float, for_seconds: float, step: float) -> list[float]:
    """How long it fired, each time, in seconds: the condition held for `for_seconds` first, and a gap of
    more than one step ends it."""
    lengths, began, last = [], None, None
    for at, value in (*points, (math.inf, math.nan)):
        holds = over(value, threshold)
        if began is not None and (not holds or at - last > 1.5 * step):
            if last - began >= for_seconds:
                lengths.append(last - began - for_seconds + step)
            began = None
        if holds and began is None:
            began = at
        last = at
    return lengths


def values_over_time(series) -> list[float]:
    return [
        value for _, value in sorted(point for one in series for point in one.points) if not math.isnan(value)
    ]


def _sparkline(values: Sequence[float]) -> str:
    """The highest value in each of thirty equal stretches."""
    size = max(1, math.ceil(len(values) / _SPARKLINE_WIDTH))
    peaks = [max(values[at : at + size]) for at in range(0, len(values), size)]
    low, high = min(peaks), max(peaks)
    if not math.isfinite(high - low) or high == low:
        return _BARS[0] * len(peaks)
    return "".join(_BARS[int((peak - low) / (high - low) * (len(_BARS) - 1))] for peak in peaks)
