"""Prometheus scrapes the service, and the metrics it scraped are those that the service exports now."""

import asyncio
import re
from collections.abc import AsyncIterator
from itertools import pairwise

from opsconsole.checkkit import Finding, Names, Prometheus, Seen, Service, first_scrape, lasting, until

DIAGNOSIS = ("target_is_up", "metrics_endpoint_answers", "prometheus_answers")

_LOOK_BACK_SCRAPES = 10
_SCRAPES_AHEAD = 3


async def check(
    prometheus: Prometheus, service: Service, *, families: Names
) -> AsyncIterator[Finding | Seen]:
    """Targets up and scraped within two intervals; each family in Prometheus and on the target, and its
    counter in Prometheus not left behind by the target's."""
    targets = await first_scrape(prometheus, service.job)
    if not targets:
        jobs = sorted({target.job for target in await prometheus.targets()})
        yield Finding(
            summary=f"no target belongs to the job {service.job}",
            detail=f"jobs that have targets: {', '.join(jobs) or 'none'}",
            remedy="add the job to scrape_configs, or correct service.job in opsconsole.toml",
        )
        return
    now, version = await asyncio.gather(prometheus.now(), prometheus.version())
    for target in targets:
        age, every = now - target.last_scrape, target.scrape_interval_seconds
        if target.health != "up":
            why = target.last_error or "not scraped yet"
            yield Finding(subject=target.instance, summary=f"is {target.health}: {why}")
        elif age > _two(every):
            summary = f"was scraped {lasting(age)} ago, though it should be every {lasting(every)}"
            yield Finding(subject=target.instance, summary=summary)
    interval = max(target.scrape_interval_seconds for target in targets)
    up = sum(target.health == "up" for target in targets)
    scraped = f"{up} of {len(targets)} targets of {service.job} up, scraped every {lasting(interval)}"
    yield Seen(f"Prometheus {version}: {scraped}")
    if up:
        async for said in _families(prometheus, service, families, interval, alone=up == 1):
            yield said


async def _families(
    prometheus: Prometheus, service: Service, families: list[str], interval: float, *, alone: bool
) -> AsyncIterator[Finding | Seen]:
    stored = await _stored(prometheus, service.job, families, interval)
    exported = await service.totals(families) if service.metrics_url else None
    for family in families:
        if exported is not None and family not in exported:
            yield Finding(
                subject=family, summary="is missing on the target", detail=f"at {service.metrics_url}"
            )
        if family not in stored:
            though = ", though the target exports it" if exported and family in exported else ""
            yield Finding(
                subject=family,
                summary=f"is missing in Prometheus{though}",
                remedy="look for metric_relabel_configs that drop it, or a limit on samples",
            )
    yield Seen(f"{len(stored)} of {len(families)} families in Prometheus")
    if exported is None:
        yield Seen("the target itself was not looked at: service.metrics is not set")
    elif not alone:
        yield Seen("on the target looked at too; which of the several that is, is not told")
    else:
        common = {family: exported[family] for family in stored if family in exported}
        for family, total in (await _apart(prometheus, service, common, stored, interval)).items():
            yield Finding(
                subject=family,
                summary=f"is {total:g} in Prometheus and {exported[family]:g} on the target, "
                "and they do not come together",
                remedy="the scraped target is not the one looked at, or its metrics come from a cache",
            )
        yield Seen(f"{len(common)} on the target too, their counters fresh")


async def _stored(
    prometheus: Prometheus, job: str, families: list[str], interval: float
) -> dict[str, list[float]]:
    """Each family's total over the last scrapes, oldest first; none for one not scraped in two intervals."""
    names = "|".join(re.escape(family) for family in families)
    scraped = f'last_over_time({{__name__=~"{names}",job="{job}"}}[{round(1000 * _two(interval))}ms])'
    now = await prometheus.now()
    found = await prometheus.query_range(
        f"sum by (__name__) ({scraped})",
        start=now - _LOOK_BACK_SCRAPES * interval,
        end=now,
        step_seconds=interval,
    )
    return {
        series.labels["__name__"]: [value for _, value in series.points]
        for series in found
        if series.points and now - series.points[-1][0] < interval / 2
    }


async def _apart(
    prometheus: Prometheus,
    service: Service,
    exported: dict[str, float],
    stored: dict[str, list[float]],
    interval: float,
) -> dict[str, float]:
    """The families whose total in Prometheus is not the target's, with that total.

    A total that was scraped lies between two readings of the target around the scrape. That takes a scrape
    to see, so it is looked at only where the target is not just a few scrapes' growth ahead.
    """
    waiting = {f: stored[f][-1] for f, total in exported.items() if not _follows(total, stored[f])}

    async def together() -> bool:
        scraped = await _stored(prometheus, service.job, sorted(waiting), interval)
        later = await service.totals(sorted(waiting))
        for family in list(waiting):
            waiting[family] = total = scraped[family][-1] if family in scraped else waiting[family]
            if family in scraped and exported[family] <= total <= later.get(family, 0.0):
                del waiting[family]
        return not waiting

    if waiting:
        what = f"two scrapes of {len(waiting)} families"
        await until(together, within_seconds=_two(interval), what=what)
    return waiting


def _two(interval: float) -> float:
    """Two intervals, and a second for a machine that is busy."""
    return 2 * interval + 1


def _follows(total: float, scraped: list[float]) -> bool:
    """Whether the target's total is the last one scraped, or ahead by no more than it may have grown."""
    growth = max((after - before for before, after in pairwise(scraped)), default=0.0)
    return scraped[-1] <= total <= scraped[-1] + _SCRAPES_AHEAD * max(growth, 0.0)
