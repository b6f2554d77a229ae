"""What can be wrong with what is scraped although every target is up: counters that stand still, that begin
anew again and again, or that an instance has left behind, and series that grow without end."""

import asyncio
import re
from collections.abc import Collection
from contextlib import suppress

from opsconsole.checkkit import Unseen, lasting, until
from opsconsole.clients.prometheus import Prometheus, Target
from opsconsole.model import Finding, Seen

_LOOK_BACK_SCRAPES = 120
_MOST_RESTARTS = 3
_SCRAPES_IN_A_ROW = 5
_FEWEST_NEW_SERIES = 10
_FIVE_MINUTES, _HOUR, _DAY = 300.0, 3600.0, 86_400.0
_WINDOWS = 30
_SURELY = 40
"""So many events do not fail to come by chance."""

_UNUSUALLY_SLOW = 0.01
"""The share of all times that were slower than the pace that is reckoned with: a maintenance of a quarter of
an hour each day is among them, and so are the windows in which a service or Prometheus started."""

_LONGEST_WAIT_SECONDS = 120.0
_BUSY_SECONDS = 5.0
_PLAIN = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


async def scrape_faults(
    prometheus: Prometheus, job: str, counters: Collection[str], targets: Collection[Target]
) -> list[Finding]:
    """Counters of a target that began anew again and again, series of instances that are gone, and series
    that grow without end. `counters` are some that Prometheus has of this job, `targets` those of the job."""
    interval = max(target.scrape_interval_seconds for target in targets)
    found = await asyncio.gather(
        _begun_anew(prometheus, job, counters, interval),
        _left_behind(prometheus, job, counters, targets),
        _growing(prometheus, job, interval),
    )
    return [finding for findings in found for finding in findings]


async def not_stored(prometheus: Prometheus, job: str, targets: Collection[Target]) -> Finding | None:
    """What is wrong where Prometheus scrapes the targets that are up, and keeps nothing of it: not even `up`,
    which it writes itself with each scrape."""
    interval = max(target.scrape_interval_seconds for target in targets)
    scraped_at = min(target.last_scrape for target in targets if target.health == "up")
    written = await prometheus.query(f'max(timestamp(up{{job="{job}"}}))')
    newest = written[0].value if written else 0.0
    if scraped_at - newest <= 2 * interval + 1:
        return None
    failed = None
    with suppress(Unseen):
        failed = await prometheus.failed_writes()
    since = f"nothing for {lasting(scraped_at - newest)}" if written else "nothing"
    return Finding(
        summary=f"Prometheus scrapes {job}, and has stored {since}"
        + (f": {failed:g} writes to its disk have failed" if failed else ""),
        detail="its rules see no new samples either: no alert can fire",
        remedy="its log says why: a full disk, or one that is read-only or broken; free it, then restart it",
    )


async def standing_still(
    prometheus: Prometheus,
    job: str,
    counters: Collection[str],
    *,
    seconds: float,
    interval_seconds: float,
    scraped_at: float,
) -> Finding | Seen:
    """What it means that none of these counters has moved for so long up to the last scrape: a finding, if
    they have hardly ever counted as little before, by the last day (by the last fortnight if they stand still
    for long). Waits where that will be known within two minutes."""
    if seconds >= _FIVE_MINUTES / 2:
        seconds = max(seconds, await _still_since(prometheus, job, counters, scraped_at))
    pace = await _slowest_pace(prometheus, job, counters, seconds)
    if (missing := _SURELY - seconds * pace) > 0:
        if missing > pace * _LONGEST_WAIT_SECONDS:
            return _not_seen(seconds)
        wait = missing / pace
        within = wait + 2 * interval_seconds + _BUSY_SECONDS
        moved = await _move(prometheus, job, counters, until_scrape=scraped_at + wait, within=within)
        if moved is None:
            return _not_seen(seconds)
        if moved:
            return Seen("the counters move")
        seconds += wait
    return Finding(
        summary=f"all counters stand still for {lasting(seconds)}: the metrics come from a cache, "
        "or nothing happens in the service any more",
        detail=f"in so long a time they count {seconds * pace:.0f} events or more, by what was usual before",
        remedy="ask the metrics endpoint twice, past every proxy: if it moves there, look for what keeps it",
    )


def _not_seen(seconds: float) -> Seen:
    still = f"no counter has moved for {lasting(seconds)}"
    return Seen(f"{still}, which is not unusual: they are not seen to be fresh")


async def _move(
    prometheus: Prometheus, job: str, counters: Collection[str], *, until_scrape: float, within: float
) -> bool | None:
    """Whether any of the counters moves up to the scrape at this time; None where there is no such scrape
    within so many seconds."""
    totals = f"sum({_any(counters, job)})"
    before = await _instances(prometheus, totals)

    async def told() -> str:
        targets = await prometheus.targets(job)
        if await _instances(prometheus, totals) != before:
            return "moved"
        last = max((target.last_scrape for target in targets), default=0.0)
        return "still" if last >= until_scrape else ""

    said = await until(told, within_seconds=within, what="a counter to move")
    return None if said is None else said == "moved"


async def _slowest_pace(prometheus: Prometheus, job: str, counters: Collection[str], seconds: float) -> float:
    """How many events a second these counters count at the least over so long a time, before the last
    `seconds`; 0 where there is no such history."""
    window = round(max(_FIVE_MINUTES, seconds))
    span = round(min(max(_DAY, _WINDOWS * window), 15 * _DAY))
    paces = await asyncio.gather(
        *(
            prometheus.query(
                f'quantile_over_time({_UNUSUALLY_SLOW}, sum(rate({counter}{{job="{job}"}}[{window}s]))'
                f"[{span}s:{window}s] offset {round(max(1.0, seconds))}s)"
            )
            for counter in counters
        )
    )
    return sum(max(0.0, found[0].value) for found in paces if found)


async def _still_since(prometheus: Prometheus, job: str, counters: Collection[str], now: float) -> float:
    """For how many seconds none of these counters has moved, by the last day, to five minutes."""
    found = await prometheus.query_range(
        f"sum({_any(counters, job)})", start=now - _DAY, end=now, step_seconds=_FIVE_MINUTES
    )
    points = found[0].points if found else []
    if not points:
        return 0.0
    moved = next((at for at, value in reversed(points) if value != points[-1][1]), points[0][0])
    return points[-1][0] - moved - _FIVE_MINUTES


async def _begun_anew(
    prometheus: Prometheus, job: str, counters: Collection[str], interval: float
) -> list[Finding]:
    window = _LOOK_BACK_SCRAPES * interval
    window_ms = round(1000 * window)
    each = (
        f'label_replace(resets({counter}{{job="{job}"}}[{window_ms}ms]), "of", "{counter}", "", "")'
        for counter in counters
    )
    found = await prometheus.query(f"max by (instance) ({' or '.join(each)}) > {_MOST_RESTARTS}")
    return [
        Finding(
            subject=one.labels.get("instance", ""),
            summary=f"its counters began anew {one.value:.0f} times in the last {lasting(window)}: "
            "it restarts again and again, or several instances answer in turn at one address",
            remedy="its log tells why it ends; where there are several instances, scrape each by itself",
        )
        for one in found
    ]


async def _left_behind(
    prometheus: Prometheus, job: str, counters: Collection[str], targets: Collection[Target]
) -> list[Finding]:
    """What another job brings with `honor_labels` of instances that are gone: pushed, or federated.

    Series that moved within the hour are left alone, and so is everything where the series have other
    instances than even the targets that are up.
    """
    everyone = await prometheus.targets()
    window = 2 * max(target.scrape_interval_seconds for target in everyone) + 1
    fresh = f"last_over_time({_any(counters, job)}[{round(1000 * window)}ms])"
    present = await _instances(prometheus, f"count by (instance) ({fresh})")
    own = {target.instance for target in targets}
    rewritten = any(target.health == "up" and target.instance not in present for target in targets)
    if rewritten or not present.keys() - own:
        return []
    each = (f'sum by (instance) (changes({name}{{job="{job}"}}[{_HOUR:.0f}s])) > 0' for name in counters)
    moving, pushed = await asyncio.gather(
        _instances(prometheus, " or ".join(each)),
        _instances(prometheus, f'min by (instance) (time() - push_time_seconds{{job="{job}"}})'),
    )
    return [
        Finding(
            subject=instance,
            summary=f"no target of {job} is this instance, and its series linger: they are scraped still, "
            "and do not move",
            detail=f"they were pushed {lasting(pushed[instance])} ago"
            if instance in pushed
            else "another job brings them, with honor_labels: they were pushed once, or are federated",
            remedy="delete the group at the Pushgateway, or leave the instance out where it is federated",
        )
        for instance in sorted(present.keys() - own - moving.keys())
    ]


async def _growing(prometheus: Prometheus, job: str, interval: float) -> list[Finding]:
    """The instances of which each of the last scrapes, five or more, brought new series, so many that at this
    pace they are twice as many within a day."""
    window = round(1000 * 2 * _SCRAPES_IN_A_ROW * interval)
    added = f'scrape_series_added{{job="{job}"}}[{window}ms]'
    new, series = await asyncio.gather(
        _instances(
            prometheus,
            f"min by (instance) (min_over_time({added}) and count_over_time({added}) >= {_SCRAPES_IN_A_ROW})",
        ),
        _instances(prometheus, f'max by (instance) (scrape_samples_post_metric_relabeling{{job="{job}"}})'),
    )
    found = []
    for instance, each in new.items():
        a_day = each * _DAY / interval
        if each >= _FEWEST_NEW_SERIES and a_day >= series.get(instance, 0.0):
            finding = Finding(
                subject=instance,
                summary=f"every scrape brings {each:.0f} new series or more, {a_day:,.0f} a day",
                detail=await _what_grows(prometheus, f'job="{job}",instance="{instance}"', interval),
                remedy="take the label away in the service; until then, labeldrop it and set a sample_limit",
            )
            found.append(finding)
    return found


async def _what_grows(prometheus: Prometheus, chosen: str, interval: float) -> str:
    """The metric that has most of the new series, and its label with the most values."""
    before = f"{{{chosen}}} offset {round(1000 * _SCRAPES_IN_A_ROW * interval)}ms"
    most = await prometheus.query(f"topk(1, count by (__name__) ({{{chosen}}} unless {before}))")
    if not most:
        return ""
    metric = most[0].labels["__name__"]
    names = await prometheus.label_names(f"{metric}{{{chosen}}}")
    labels = sorted({name for name in names if _PLAIN.fullmatch(name)} - {"__name__", "job", "instance"})
    counted = await asyncio.gather(
        *(prometheus.query(f"count(count by ({label}) ({metric}{{{chosen}}}))") for label in labels)
    )
    values = {label: found[0].value for label, found in zip(labels, counted, strict=True) if found}
    grows = max(values, key=values.__getitem__, default="")
    return f"the label `{grows}` of {metric} has {values[grows]:.0f} values by now" if grows else metric


async def _instances(prometheus: Prometheus, query: str) -> dict[str, float]:
    return {one.labels.get("instance", ""): one.value for one in await prometheus.query(query)}


def _any(metrics: Collection[str], job: str) -> str:
    return f'{{__name__=~"{"|".join(metrics)}",job="{job}"}}'
