"""Metrics and labels that were scraped and are no longer: what rests on them is blind, whatever there was."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from opsconsole import promql
from opsconsole.checkkit import first_scrape, lasting
from opsconsole.clients.prometheus import Prometheus, Sample, Target
from opsconsole.clients.service import Service
from opsconsole.rehearse.known import Known

_PARTS = ("_bucket", "_sum", "_count")
_STALE_SECONDS = 300.0
"""How long Prometheus itself takes a sample for the present one (its default look-back)."""

_BUSY_SECONDS = 1.0


@dataclass(frozen=True)
class Gone:
    """A metric with series in the history and none within the last two scrapes; with a `label`, one whose
    series had it and have another since; with a `value` too, one whose series have this value of it no
    longer, or never had.

    `proof` tells why that is no event that has merely not happened again since a restart; it is empty where
    only a person can tell that from a metric that was renamed.
    """

    metric: str
    seen: str
    proof: str
    label: str = ""
    value: str = ""

    def __str__(self) -> str:
        if self.value:
            return f'{self.metric}{{{self.label}="{self.value}"}}, of which nothing is scraped'
        if self.label:
            return f"{self.metric}, whose series have no label `{self.label}` any longer"
        return f"{self.metric}, which is scraped no longer ({self.seen})"


async def scraped_no_longer(
    prometheus: Prometheus, service: Service | None, exists: Known, expressions: Iterable[str]
) -> dict[str, list[Gone]]:
    """The expressions that could return data by what there was (`exists`), and cannot by what is scraped now,
    each with what is gone. One that `absent` or an `or` keeps alive is not among them.

    Waits for the first scrapes of a Prometheus that has only just started.
    """
    expressions = list(expressions)
    names = {one.metric for expr in expressions for one in promql.selectors(promql.parse(expr)) if one.metric}
    gone = await _gone(prometheus, service, exists, names)
    lost = {one.metric for one in gone}
    renamed = await _renamed(prometheus, exists, expressions, lost)
    blind = await _respelt(prometheus, exists, expressions, lost)
    if not gone and not renamed:
        return blind
    left = _left(exists, [*gone, *renamed])
    for expression in expressions:
        if left.never(expression) and not exists.never(expression):
            needed = [one for one in (*gone, *renamed) if _left(exists, [one]).never(expression)]
            blind[expression] = needed or [*gone, *renamed]
    return blind


def _left(exists: Known, gone: list[Gone]) -> Known:
    left = exists.without([one.metric for one in gone if not one.label])
    return left.without_labels([(one.metric, one.label) for one in gone if one.label])


async def _renamed(
    prometheus: Prometheus, exists: Known, expressions: Iterable[str], gone: set[str]
) -> list[Gone]:
    """The labels that are asked for, that series of the metric had, and that none has that is scraped now,
    though they have a label that those had not: it was renamed.

    A label that is merely not there may wait for an event, and a person cannot tell it either.
    """
    wanted = {
        (one.metric, matcher.label)
        for expression in expressions
        for one in promql.selectors(promql.parse(expression))
        for matcher in one.matchers
        if one.metric and one.metric not in gone and exists.values(one.metric, matcher.label)
    }
    names, labels = {metric for metric, _ in wanted}, sorted({label for _, label in wanted})
    jobs = {job for metric in names for job in exists.values(metric, "job")}
    targets = [target for target in await prometheus.targets() if target.job in jobs] if wanted else []
    have = await asyncio.gather(*(_fresh(prometheus, names, targets, label) for label in ("", *labels)))
    fresh = dict(zip(("", *labels), have, strict=True))
    renamed = []
    for metric, label in sorted(wanted):
        if metric in fresh[""] and metric not in fresh[label]:
            now = await _labels(prometheus, metric, targets)
            if new := sorted(now - exists.labels(metric, label)):
                others = ", ".join(f"`{each}`" for each in new)
                proof = f"its series have {others} since, which they had not: it was renamed"
                renamed.append(Gone(metric, "", proof, label))
    return renamed


async def _respelt(
    prometheus: Prometheus, exists: Known, expressions: Iterable[str], gone: set[str]
) -> dict[str, list[Gone]]:
    """The expressions that ask for a value of a label that no series has which is scraped now, though some
    have it in another spelling (`failed`, `Failed`): an event of this name will not come any more.

    An expression that asks for the other spelling too knows of both.
    """
    wanted = {
        expression: [
            (one.metric, matcher.label, matcher.value)
            for one in promql.selectors(promql.parse(expression))
            for matcher in one.matchers
            if one.metric and one.metric not in gone and matcher.operator == "=" and matcher.value
        ]
        for expression in expressions
    }
    labels = {(metric, label) for asked in wanted.values() for metric, label, _ in asked}
    scraped = await _values(prometheus, exists, labels)
    blind: dict[str, list[Gone]] = {}
    for expression, asked in wanted.items():
        mentioned = {value for _, _, value in asked}
        for metric, label, value in dict.fromkeys(asked):
            there = scraped.get((metric, label), set())
            alike = {other for other in there - mentioned if _spelt(other) == _spelt(value)}
            if alike and value not in there:
                proof = f'its series have {label}="{min(alike)}": was it spelt otherwise before?'
                blind.setdefault(expression, []).append(Gone(metric, "", proof, label, value))
    return blind


def _spelt(value: str) -> str:
    """A value without what spellings differ in: case, and signs between words."""
    return "".join(filter(str.isalnum, value.casefold()))


async def _values(
    prometheus: Prometheus, exists: Known, wanted: set[tuple[str, str]]
) -> dict[tuple[str, str], set[str]]:
    """The values of these labels of these metrics in the last two scrapes."""
    jobs = {job for metric, _ in wanted for job in exists.values(metric, "job")}
    targets = [target for target in await prometheus.targets() if target.job in jobs] if wanted else []
    labels = sorted({label for _, label in wanted})

    async def of(label: str) -> list[Sample]:
        names = "|".join(sorted(metric for metric, own in wanted if own == label))
        chosen = f'{{__name__=~"{names}",{label}!=""}}'
        return await prometheus.query(
            f"count by (__name__, {label}) (last_over_time({chosen}[{_window(targets)}ms]))"
        )

    found: dict[tuple[str, str], set[str]] = {}
    for label, samples in zip(labels, await asyncio.gather(*map(of, labels)), strict=True):
        for sample in samples:
            found.setdefault((sample.labels["__name__"], label), set()).add(sample.labels[label])
    return found


async def _labels(prometheus: Prometheus, metric: str, targets: list[Target]) -> set[str]:
    """The names of the labels of the metric's series that are scraped now, of fifty of them."""
    found = await prometheus.query(f"topk(50, last_over_time({metric}[{_window(targets)}ms]))")
    return {label for series in found for label in series.labels} - {"__name__"}


async def _gone(
    prometheus: Prometheus, service: Service | None, exists: Known, metrics: set[str]
) -> list[Gone]:
    """Those of `metrics` that have series in `exists` and are not scraped now.

    Recorded metrics, which nobody scrapes, are left out, and so is one that the service declares and has no
    sample of: it waits for its first event.
    """
    if not metrics:
        return []
    rules, targets = await asyncio.gather(prometheus.rules(), prometheus.targets())
    recorded = {rule.name for rule in rules if rule.kind == "recording"}
    known = {name for name in metrics if exists.has_series(name)} - recorded
    jobs = sorted({job for name in known for job in exists.values(name, "job")})
    targets = [target for target in targets if target.job in jobs]
    fresh = await _fresh(prometheus, known, targets)
    if known <= fresh:
        return []
    targets = [target for job in jobs for target in await first_scrape(prometheus, job, scrapes=2)]
    fresh = await _fresh(prometheus, known, targets)
    missing = sorted(known - fresh)
    up = {target.job for target in targets if target.health == "up"}
    exported, declared = await _exported(service, up) if missing else (set(), set())

    def proof(metric: str) -> str:
        own = exists.values(metric, "job")
        if metric in exported:
            return "the target exports it: look for metric_relabel_configs that drop it"
        if siblings := sorted(_siblings(metric) & fresh):
            return f"{siblings[0]} of the same histogram is scraped still"
        if targets and not own & up:
            return f"no target of {', '.join(sorted(own))} is up"
        if ":" in metric:
            return "its name is that of a recorded metric, and no rule that is loaded records it"
        return ""

    proofs = {metric: proof(metric) for metric in missing}
    return [
        Gone(metric, await _last_seen(prometheus, metric), why)
        for metric, why in proofs.items()
        if why or _family(metric) not in declared
    ]


async def _fresh(
    prometheus: Prometheus, metrics: set[str], targets: list[Target], label: str = ""
) -> set[str]:
    """Those of the metrics, and of their histograms' other parts, with a sample of the last two scrapes; with
    a `label` those that have it."""
    if not metrics:
        return set()
    names = "|".join(sorted(metrics.union(*map(_siblings, metrics))))
    having = f',{label}!=""' if label else ""
    found = await prometheus.query(
        f'count by (__name__) (last_over_time({{__name__=~"{names}"{having}}}[{_window(targets)}ms]))'
    )
    return {sample.labels["__name__"] for sample in found}


def _window(targets: list[Target]) -> int:
    """Two scrapes, in milliseconds."""
    interval = max((target.scrape_interval_seconds for target in targets), default=0.0)
    return round(1000 * (2 * interval + _BUSY_SECONDS if interval else _STALE_SECONDS))


async def _exported(service: Service | None, up: set[str]) -> tuple[set[str], set[str]]:
    """The metrics that the service has samples of, and the families that it declares, where its job is `up`
    and its endpoint can be asked."""
    if service is None or not service.metrics_url or service.job not in up:
        return set(), set()
    families = await service.metrics()
    return {name for family in families.values() for name, _, _ in family.samples}, set(families)


async def _last_seen(prometheus: Prometheus, metric: str) -> str:
    latest = await prometheus.latest(metric)
    return f"last seen {lasting(await prometheus.now() - latest)} ago" if latest else "last seen long ago"


def _family(metric: str) -> str:
    return next((metric.removesuffix(part) for part in _PARTS if metric.endswith(part)), metric)


def _siblings(metric: str) -> set[str]:
    family = _family(metric)
    return {family + part for part in _PARTS} - {metric} if family != metric else set()
