"""Prometheus scrapes the service, and the metrics it scraped are those that the service exports now."""

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Iterator
from itertools import pairwise

from opsconsole.checkkit import (
    Finding,
    Names,
    Prometheus,
    Seen,
    Service,
    Target,
    ask_endpoint,
    first_scrape,
    lasting,
    not_stored,
    not_up,
    scrape_faults,
    scraped_twice,
    stamped_wrongly,
    standing_still,
    until,
)

DIAGNOSIS = ("target_is_up", "metrics_endpoint_answers", "prometheus_answers")

_LOOK_BACK_SCRAPES = 10
_SCRAPES_AHEAD = 3
_FEW_SCRAPES = 2
_MANY_SCRAPES = 10
_BUSY_SECONDS = 5.0
_LONGEST_WAIT_SECONDS = 120.0


async def check(
    prometheus: Prometheus, service: Service, *, families: Names
) -> AsyncIterator[Finding | Seen]:
    """Targets up and scraped within two intervals; each family in Prometheus and on the target, and its
    counter in Prometheus not left behind by the target's; counters that move as usual, begin anew no more
    than a few times, and are of these targets alone; no endpoint scraped twice into what rules sum; and
    series that do not grow without end."""
    targets = await first_scrape(prometheus, service.job)
    if not targets:
        jobs = sorted({target.job for target in await prometheus.targets()})
        yield Finding(
            summary=f"no target belongs to the job {service.job}",
            detail=f"jobs that have targets: {', '.join(jobs) or 'none'}",
            remedy="add the job to scrape_configs, or correct service.job in opsconsole.toml",
        )
        return
    version, (now, targets) = await asyncio.gather(prometheus.version(), _caught_up(prometheus, service.job))
    up = [target for target in targets if target.health == "up"]
    slow = any("deadline exceeded" in target.last_error for target in targets)
    asked = None if up else await ask_endpoint(service, again=slow)
    for target in targets:
        age, every = now - target.last_scrape, target.scrape_interval_seconds
        if target.health != "up":
            yield not_up(target, service, asked)
        elif age > _two(every):
            summary = f"was scraped {lasting(age)} ago, though it should be every {lasting(every)}"
            yield Finding(subject=target.instance, summary=summary)
    interval = max(target.scrape_interval_seconds for target in targets)
    scraped = f"{len(up)} of {len(targets)} targets of {service.job} up, scraped every {lasting(interval)}"
    yield Seen(f"Prometheus {version}: {scraped}")
    if up:
        async for said in _families(prometheus, service, families, targets):
            yield said


async def _caught_up(prometheus: Prometheus, job: str) -> tuple[float, list[Target]]:
    """The targets and a time just before they were asked for, when those whose scrape is only a little late
    have been scraped: a machine may be busy."""
    now, targets = 0.0, list[Target]()

    async def scraped() -> bool:
        nonlocal now, targets
        now = await prometheus.now()
        targets = await prometheus.targets(job)
        ages = [(target.scrape_interval_seconds, now - target.last_scrape) for target in targets]
        return not any(_two(every) < age < _MANY_SCRAPES * every for every, age in ages)

    if not await scraped():
        longest = max(target.scrape_interval_seconds for target in targets)
        await until(
            scraped,
            within_seconds=min(_two(longest) + _BUSY_SECONDS, _LONGEST_WAIT_SECONDS),
            what=f"a late scrape of {job}",
        )
    return now, targets


async def _families(
    prometheus: Prometheus, service: Service, families: list[str], targets: list[Target]
) -> AsyncIterator[Finding | Seen]:
    interval = max(target.scrape_interval_seconds for target in targets)
    stored = await _stored(prometheus, service.job, families, interval)
    if not stored and (lost := await not_stored(prometheus, service.job, targets)):
        yield lost
        return
    page = await service.metrics() if service.metrics_url else None
    if page is not None and not page:
        yield Finding(
            summary=f"{service.metrics_url} answers, and exports nothing",
            remedy="the service's log tells whether its metrics have started; is it the right page?",
        )
        return
    exported = None if page is None else service.totals_in(page, families)
    clock = stamped_wrongly(page or {}, await prometheus.now())
    for finding in _missing(families, stored, exported, service.metrics_url, clock=clock):
        yield finding
    yield Seen(f"{len(stored)} of {len(families)} families in Prometheus")
    faults = await scrape_faults(prometheus, service.job, list(stored), targets) if stored else []
    for fault in faults:
        yield fault
    for twice in await scraped_twice(prometheus, service.job, list(stored)) if stored else ():
        yield twice
    common = {family: exported[family] for family in stored if family in exported} if exported else {}
    alone = sum(target.health == "up" for target in targets) == 1
    if exported is None:
        yield Seen("the target itself was not looked at: service.metrics is not set")
    elif not alone:
        yield Seen("on the target looked at too; which of the several that is, is not told")
    apart = {}
    if alone and common and not faults and _two(interval) > _LONGEST_WAIT_SECONDS:
        yield Seen(f"scraped only every {lasting(interval)}: how fresh their counters are was not looked at")
        return
    if alone and common and not faults:
        apart = await _apart(prometheus, service, common, stored, interval)
    if clock and exported and (apart or exported.keys() - stored.keys()):
        yield _stamped(clock, service.metrics_url or "")
        return
    for family, total in apart.items():
        yield _differs(family, total, common[family])
    judged = bool(stored) and not apart and not faults
    if judged and (said := await _fresh(prometheus, service.job, stored, common, targets)):
        yield said


def _missing(
    families: list[str],
    stored: Collection[str],
    exported: Collection[str] | None,
    metrics_url: str | None,
    *,
    clock: str,
) -> Iterator[Finding]:
    """The families that the target does not export, or Prometheus does not have; not those that a wrong
    `clock` explains."""
    for family in families:
        on_target = bool(exported and family in exported)
        if exported is not None and not on_target:
            yield Finding(subject=family, summary="is missing on the target", detail=f"at {metrics_url}")
        if family not in stored and not (clock and on_target):
            though = ", though the target exports it" if on_target else ""
            yield Finding(
                subject=family,
                summary=f"is missing in Prometheus{though}",
                remedy="look for metric_relabel_configs that drop it, or a limit on samples",
            )


def _stamped(clock: str, metrics_url: str) -> Finding:
    return Finding(
        summary=f"{metrics_url} {clock}",
        detail="Prometheus keeps a sample for the time on its stamp, or refuses it: it has none of now",
        remedy="set the clock right, or stamp nothing; until then, honor_timestamps: false for the job",
    )


def _differs(family: str, stored: float, exported: float) -> Finding:
    return Finding(
        subject=family,
        summary=f"is {stored:g} in Prometheus and {exported:g} on the target, and they do not come together",
        remedy="the scraped target is not the one looked at, or its metrics come from a cache",
    )


async def _fresh(
    prometheus: Prometheus,
    job: str,
    stored: dict[str, list[float]],
    common: Collection[str],
    targets: list[Target],
) -> Finding | Seen | None:
    """Whether the counters move, or have stood still for longer than they ever do."""
    scrapes = _still_scrapes(stored)
    if scrapes < _FEW_SCRAPES:
        return Seen(f"{len(common)} on the target too, their counters fresh") if common else None
    interval = max(target.scrape_interval_seconds for target in targets)
    scraped_at = min(target.last_scrape for target in targets if target.health == "up")
    return await standing_still(
        prometheus,
        job,
        list(stored),
        seconds=max(0.0, scrapes * interval - (await prometheus.now() - scraped_at)),
        interval_seconds=interval,
        scraped_at=scraped_at,
    )


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


def _still_scrapes(stored: dict[str, list[float]]) -> int:
    """For how many scrapes none of the totals has moved; none where nothing is stored."""

    def still(totals: list[float]) -> int:
        return (
            next((back for back, total in enumerate(reversed(totals)) if total != totals[-1]), len(totals))
            - 1
        )

    return min(map(still, stored.values()))


def _two(interval: float) -> float:
    """Two intervals, and a second for a machine that is busy."""
    return 2 * interval + 1


def _follows(total: float, scraped: list[float]) -> bool:
    """Whether the target's total is the last one scraped, or ahead by no more than it may have grown."""
    growth = max((after - before for before, after in pairwise(scraped)), default=0.0)
    return scraped[-1] <= total <= scraped[-1] + _SCRAPES_AHEAD * max(growth, 0.0)
