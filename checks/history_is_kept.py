"""Prometheus keeps its data as long as it should, and the data really reach back that far."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import Finding, Prometheus, Seen, lasting, seconds

DIAGNOSIS = ("prometheus_answers",)

_DEFAULT_RETENTION = "15d"
"""What Prometheus does where neither time nor size is set."""

_SLACK_SECONDS = 3 * 3600.0
"""Blocks are cut every two hours, so the oldest sample may be younger by one block."""


async def check(prometheus: Prometheus, *, days: int = 15) -> AsyncIterator[Finding | Seen]:
    """Its retention by flag (or by configuration, from 3.x on), and the age of the oldest sample."""
    retention = (await prometheus.runtime()).retention
    wanted = days * 86_400.0
    by_time = next(
        (part for part in retention.split(" or ") if part[:1].isdigit() and part[-1] in "smhdwy"), ""
    )
    kept = seconds(by_time or _DEFAULT_RETENTION)
    if kept < wanted:
        yield Finding(
            summary=f"keeps {lasting(kept)}, less than {days} d",
            remedy=f"start it with --storage.tsdb.retention.time={days}d",
        )
    age = await prometheus.now() - await prometheus.earliest()
    if age < wanted - _SLACK_SECONDS:
        yield Finding(
            summary=f"its data reach back {lasting(age)}, not {days} d",
            detail=f"retention: {retention}",
            remedy="it is younger than that, lost its storage, or retention by size cuts earlier",
        )
    yield Seen(f"keeps {retention}, and its data reach back {lasting(age)}")
