"""How far back a Prometheus' history goes, when it stood still, and when it evaluates its rules."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsconsole.clients.prometheus import Prometheus
from opsconsole.clients.ranges import stretches
from opsconsole.errors import Nonsense, TimedOut
from opsconsole.promql import parse, selectors
from opsconsole.rehearse.backtest.model import Span
from opsconsole.rehearse.model import Rule

_MOST_NAMES = 20
_NARROWER_SECONDS = (6 * 3600.0, 300.0, 5.0)
_LOOKBACK_SECONDS = 300.0
_OUTAGE_STEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Phase:
    """A group is evaluated `offset_seconds` after each multiple of its interval."""

    interval_seconds: float
    offset_seconds: float


Phases = Mapping[tuple[str, str], Phase]
"""By the group's name and the alert's."""


async def began(prometheus: Prometheus, rules: Sequence[Rule], start: float, end: float) -> float | None:
    """From when on there is data, to within some seconds; None where there is none between the two, and the
    start where that is too much to ask.

    Looked for is `up`, which every scrape makes, and the metrics that these rules read most: a history
    that was brought in from elsewhere may be without `up`.
    """
    names = sorted({"up", *_metrics(rules)[:_MOST_NAMES]})
    anything = f"count({{__name__=~{json.dumps('|'.join(map(re.escape, names)))}}})"
    for step in _NARROWER_SECONDS:
        try:
            first = await _first(prometheus, anything, start, end, step)
        except (TimedOut, Nonsense):
            return start
        if first is None or first == start:
            return first
        start, end = max(start, first - step), first
    return end


async def outages(prometheus: Prometheus, start: float, end: float, step_seconds: float) -> tuple[Span, ...]:
    """When the server scraped nothing at all between two times at which it did: it was not running, and
    evaluated nothing either. Those shorter than five minutes are not seen, nor any where there is no `up`, or
    where it is too much to ask."""
    step = round(1000 * max(step_seconds, _OUTAGE_STEP_SECONDS))
    ticks = range(round(1000 * start), round(1000 * end) + 1, step)
    found: list[list[int]] = []
    try:
        async for stretch in stretches(prometheus, "absent(up)", ticks):
            for tick in (tick for series in stretch.series for tick in series.ticks):
                if found and found[-1][1] == tick:
                    found[-1][1] = tick + step
                else:
                    found.append([tick, tick + step])
    except (TimedOut, Nonsense):
        return ()
    within = (span for span in found if span[0] != ticks[0] and span[1] <= ticks[-1])
    return tuple((first / 1000 - _LOOKBACK_SECONDS, last / 1000) for first, last in within)


async def phases(prometheus: Prometheus) -> Phases:
    """When the server evaluates each group, by when it last did; empty where it does not tell."""
    try:
        rules = [rule for rule in await prometheus.rules() if rule.last_evaluation and rule.interval_seconds]
    except (TimedOut, Nonsense):
        return {}
    earliest: dict[tuple[str, str], float] = {}
    for rule in rules:
        offset = rule.last_evaluation % rule.interval_seconds
        group = rule.file, rule.group
        earliest[group] = min(offset, earliest.get(group, offset))
    return {
        (rule.group, rule.name): Phase(rule.interval_seconds, earliest[rule.file, rule.group])
        for rule in rules
    }


def window_seconds(expr: str) -> float:
    """The longest range that an expression reads. Raises Nonsense for what is not PromQL."""
    return max((found.range_seconds or 0.0 for found in selectors(parse(expr))), default=0.0)


def _metrics(rules: Sequence[Rule]) -> list[str]:
    """The names of the metrics that the rules read, those that most of them read first."""
    count: Counter[str] = Counter()
    for rule in rules:
        try:
            count.update({found.metric for found in selectors(parse(rule.expr)) if found.metric})
        except Nonsense:
            continue
    return [name for name, _ in count.most_common()]


async def _first(
    prometheus: Prometheus, promql: str, start: float, end: float, step_seconds: float
) -> float | None:
    moments = range(round(1000 * start), round(1000 * end) + 1, round(1000 * step_seconds))
    async for stretch in stretches(prometheus, promql, moments):
        ticks = [series.ticks[0] for series in stretch.series]
        if ticks:
            return min(ticks) / 1000
    return end if await prometheus.query(promql, at=end) else None
