"""One endpoint that is scraped twice: what is summed over its series counts every event twice."""

import asyncio
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from opsconsole import promql
from opsconsole.clients.prometheus import Prometheus, Rule, Target
from opsconsole.model import Finding, Seen
from opsconsole.promql import Matcher

_SCRAPES = 3
_MOST_NAMED = 3

Pair = tuple[Target, Target]

Course = dict[str, tuple[float, float]]
"""The lowest and the highest total of each counter over the last scrapes."""


async def scraped_twice(prometheus: Prometheus, job: str, counters: Collection[str]) -> list[Finding | Seen]:
    """The endpoints of the job's targets that are scraped as another target too: the same URL with the same
    parameters, and these counters the same from both. A finding where a rule reads both. Raises Unseen."""
    found: list[Finding | Seen] = []
    for pairs in _pairs(job, await prometheus.targets()).values():
        one, other = pairs[0]
        if both := await _same(prometheus, counters, one, other):
            reading = _reading(await prometheus.rules(), both, one, other)
            found.append(_told(one, other, reading, more=len(pairs) - 1))
    return found


def _pairs(job: str, everyone: Iterable[Target]) -> dict[tuple[str, str], list[Pair]]:
    """A target of the job and another one of the same URL, by the jobs of the two."""
    by_url: dict[str, list[Target]] = {}
    for target in everyone:
        if target.health == "up":
            by_url.setdefault(target.url, []).append(target)
    found: dict[tuple[str, str], list[Pair]] = {}
    for targets in by_url.values():
        one, *others = sorted(targets, key=lambda target: target.job != job)
        for other in others if one.job == job else ():
            if one.labels != other.labels:
                found.setdefault((one.job, other.job), []).append((one, other))
    return found


async def _same(prometheus: Prometheus, counters: Collection[str], one: Target, other: Target) -> set[str]:
    """Those of the counters that come from both targets; none where these do not agree on what they counted:
    a proxy or a header can make two endpoints of one URL."""
    courses = await asyncio.gather(
        _course(prometheus, counters, one, other), _course(prometheus, counters, other, one)
    )
    both = courses[0].keys() & courses[1].keys()
    overlap = all(
        courses[0][name][0] <= courses[1][name][1] and courses[1][name][0] <= courses[0][name][1]
        for name in both
    )
    counted = any(courses[0][name][1] > 0 for name in both)
    return both if overlap and counted else set()


async def _course(prometheus: Prometheus, counters: Collection[str], target: Target, other: Target) -> Course:
    """What the target's series counted, and none that are the other's alone."""
    interval = max(target.scrape_interval_seconds, other.scrape_interval_seconds)
    names = sorted(target.labels.keys() | other.labels.keys())
    own = ",".join(f"{name}={json.dumps(target.labels.get(name, ''), ensure_ascii=False)}" for name in names)
    chosen = f'{{__name__=~"{"|".join(counters)}",{own}}}'
    now = await prometheus.now()
    found = await prometheus.query_range(
        f"sum by (__name__) (last_over_time({chosen}[{round(1000 * (2 * interval + 1))}ms]))",
        start=now - _SCRAPES * interval,
        end=now,
        step_seconds=interval,
    )
    return {
        series.labels["__name__"]: (min(values), max(values))
        for series in found
        if (values := [value for _, value in series.points])
    }


def _reading(rules: Collection[Rule], counters: Collection[str], one: Target, other: Target) -> list[str]:
    """The rules by name in which one selector reads any of these counters from both targets."""
    names = one.labels.keys() | other.labels.keys()

    def reads(rule: Rule) -> bool:
        for selector in promql.selectors(promql.parse(rule.expr)):
            about = [matcher for matcher in selector.matchers if matcher.label in names]
            if selector.metric in counters and _match(about, one.labels) and _match(about, other.labels):
                return True
        return False

    return list(dict.fromkeys(rule.name for rule in rules if reads(rule)))


def _match(matchers: Collection[Matcher], labels: Mapping[str, str]) -> bool:
    return all(_fits(matcher, labels.get(matcher.label, "")) for matcher in matchers)


def _fits(matcher: Matcher, value: str) -> bool:
    if matcher.operator in ("=", "!="):
        return (value == matcher.value) is (matcher.operator == "=")
    try:
        return (re.fullmatch(matcher.value, value) is not None) is (matcher.operator == "=~")
    except re.error:
        return False


def _told(one: Target, other: Target, reading: list[str], *, more: int) -> Finding | Seen:
    twice = f"{one.url} is scraped twice, as {_apart(one, other)} and as {_apart(other, one)}"
    twice += f", and so are {more} more of these jobs" if more else ""
    if not reading:
        return Seen(f"{twice}; no rule reads both", subject=one.instance)
    named = [*reading[:_MOST_NAMED], *(["..."] if len(reading) > _MOST_NAMED else [])]
    return Finding(
        subject=one.instance,
        summary=f"{twice}: sums count every event twice, and what fires by these labels fires twice",
        detail=f"both are read by {', '.join(named)}",
        remedy="scrape it in one job alone (with Prometheus Operator, by a ServiceMonitor or a PodMonitor); "
        "where both are meant, have the rules select one by its job",
    )


def _apart(one: Target, other: Target) -> str:
    return ", ".join(_differing(one.labels, other.labels))


def _differing(labels: Mapping[str, str], others: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(labels.keys() | others.keys()):
        if labels.get(name) != others.get(name):
            yield f'{name}="{labels[name]}"' if name in labels else f"no {name}"
