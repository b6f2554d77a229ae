"""Prometheus keeps its data as long as it should, and the data really reach back that far."""

import asyncio
from collections.abc import AsyncIterator

from opsconsole.checkkit import Days, Finding, Prometheus, Runtime, Seen, Unseen, lasting

DIAGNOSIS = ("prometheus_answers",)

_SLACK_SECONDS = 3 * 3600.0
"""Blocks are cut every two hours, so the oldest sample may be younger by one block."""

_HOUR_SECONDS = 3600.0


async def check(
    prometheus: Prometheus, *, days: Days = 15, metric: str = "up"
) -> AsyncIterator[Finding | Seen]:
    """Its retention as the running server tells it, and the age of the oldest sample of `metric`."""
    wanted = days * 86_400.0
    runtime, now, earliest = await asyncio.gather(
        prometheus.runtime(),
        prometheus.now(),
        prometheus.earliest(metric, within_seconds=wanted + 86_400),
    )
    retention, kept = runtime.retention, runtime.retention_seconds
    if kept and kept < wanted:
        yield Finding(
            summary=f"keeps {lasting(kept)}, less than {days} d",
            remedy=f"start it with --storage.tsdb.retention.time={days}d",
        )
    if earliest is None:
        yield Finding(summary=f"it has no sample of {metric} at all")
        return
    age = now - earliest
    if age < wanted - _SLACK_SECONDS:
        why, remedy = await _why(prometheus, runtime, earliest)
        yield Finding(
            summary=f"its data reach back {lasting(age)}, not {days} d{why}",
            detail=f"retention: {retention}",
            remedy=remedy,
        )
    yield Seen(f"keeps {retention}, and its data reach back {lasting(age)}")


async def _why(prometheus: Prometheus, runtime: Runtime, earliest: float) -> tuple[str, str]:
    """Why the oldest sample is not older, as its own metrics tell it, and what to do."""
    try:
        storage = await prometheus.storage()
    except Unseen as unseen:
        unknown = "it is younger than that, lost its storage, or retention by size cuts earlier"
        return "", f"{unknown}; its own metrics, which tell, were not to be seen: {unseen.message}"
    if storage.cuts_by_size:
        cuts = f"its limit on size has cut them {storage.cuts_by_size:g} times since it started"
        return f": {cuts}", "a larger --storage.tsdb.retention.size and volume, or fewer series"
    if storage.earliest is None:
        return "", "it is younger than that, lost its storage, or retention by size cuts earlier"
    if storage.earliest >= runtime.start_time:
        started = lasting(await prometheus.now() - runtime.start_time)
        empty = f"its storage was empty when it started, {started} ago"
        return f": {empty}", "is its storage on a volume that outlives it, and is that the right one?"
    if storage.earliest < earliest - _HOUR_SECONDS:
        older = lasting(await prometheus.now() - storage.earliest)
        return "", f"other data reach back {older}: the metric is younger, or was not scraped before"
    return "", "it is no older than that, or its storage was lost, or cut by size, before its last start"
