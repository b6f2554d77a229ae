"""Prometheus keeps its data as long as it should, and the data really reach back that far."""

import asyncio
from collections.abc import AsyncIterator

from opsconsole.checkkit import Days, Finding, Prometheus, Seen, lasting

DIAGNOSIS = ("prometheus_answers",)

_SLACK_SECONDS = 3 * 3600.0
"""Blocks are cut every two hours, so the oldest sample may be younger by one block."""


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
        yield Finding(
            summary=f"its data reach back {lasting(age)}, not {days} d",
            detail=f"retention: {retention}",
            remedy="it is younger than that, lost its storage, or retention by size cuts earlier",
        )
    yield Seen(f"keeps {retention}, and its data reach back {lasting(age)}")
