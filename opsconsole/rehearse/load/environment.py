"""What an environment has: the rules as loaded, the dashboard as served, and the series that there are."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Collection, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

from opsconsole.clients import wire
from opsconsole.errors import ConfigError, Nonsense, Refused
from opsconsole.rehearse.load.families import declaring, kind_of, kind_of_type
from opsconsole.rehearse.load.filling import panels_of, variable_selectors
from opsconsole.rehearse.load.guess import recorded
from opsconsole.rehearse.load.history import History
from opsconsole.rehearse.load.series import Gathered, asked, expressions
from opsconsole.rehearse.model import Panel, Rule
from opsconsole.rehearse.schema import PARTS, Kind, Metric, Schema

if TYPE_CHECKING:
    from opsconsole.clients.grafana import DataSource, Grafana
    from opsconsole.clients.prometheus import Prometheus, Target
    from opsconsole.clients.prometheus import Rule as Loaded

_MOST_MISSING = 20
_LIKE = 0.8

_T = TypeVar("_T")


async def loaded_rules(prometheus: "Prometheus") -> list[Rule]:
    """The rules that are loaded, in the order of their groups. Raises Unseen."""
    return [as_rule(loaded) for loaded in await prometheus.rules()]


def as_rule(loaded: "Loaded") -> Rule:
    return Rule(
        expr=loaded.expr,
        alert=loaded.name if loaded.kind == "alerting" else "",
        record=loaded.name if loaded.kind == "recording" else "",
        for_seconds=loaded.for_seconds,
        keep_firing_for_seconds=loaded.keep_firing_for_seconds,
        labels=loaded.labels,
        annotations=loaded.annotations,
        group=loaded.group,
        interval_seconds=loaded.interval_seconds,
        file=loaded.file,
    )


async def served_panels(grafana: "Grafana", now: float) -> list[Panel]:
    """The panels with PromQL of the environment's dashboard, variables filled in by what is saved; `refill`
    then takes the series into account. `now` is unix seconds. Raises Unseen, and ConfigError where Grafana
    has no such dashboard."""
    dashboard = await grafana.dashboard_model()
    if dashboard is None:
        hint = "`dashboard` under grafana is the uid: what comes after /d/ in the dashboard's address"
        raise ConfigError(
            f"there is no dashboard with the uid {grafana.dashboard}", where=grafana.url, hint=hint
        )
    try:
        known = {key: source for source in await grafana.datasources() for key in (source.name, source.uid)}
    except Refused:  # whoever may see a dashboard need not see the settings of its sources
        known = {}
    types = {key: source.type for key, source in known.items()}
    intervals = {key: seconds for key, source in known.items() if (seconds := _interval(source))}
    return panels_of(dashboard, now, Counter(), types, intervals)


def _interval(source: "DataSource") -> float | None:
    try:
        return wire.seconds(source.scrape_interval)
    except ValueError:
        return None


async def from_environment(
    prometheus: "Prometheus", rules: Iterable[Rule], panels: Iterable[Panel] = ()
) -> Schema:
    """The series of the metrics that the rules and panels ask for, over fifteen days. Raises Unseen.

    Beside those named in the expressions the other parts of their histograms are asked for, what the
    variables of dashboards list, and of metrics that are not there those with a name like theirs. Of a metric
    with very many series the label names are still exact; `series.Gathered` says which of its series are
    kept. A metric that is declared and has no samples now waits for its first event: it is not gone. Types
    and scrape intervals are missing where the server does not tell them: not every one is a Prometheus.
    """
    rules, panels = list(rules), list(panels)
    selectors = [*asked(expressions(rules, panels)), *variable_selectors(panels)]
    named = {selector.metric for selector in selectors if selector.metric}
    history, gathered = History(prometheus), Gathered(selectors)
    types, targets, _ = await asyncio.gather(
        _or_nothing(prometheus.types(), {}),
        _or_nothing(prometheus.targets(), []),
        history.gather(_families(named), gathered),
    )
    intervals = _Intervals(targets)
    if missing := named - gathered.names():
        await history.gather(_alike(missing, await history.names()), gathered)
    gone = await history.last_seen(
        {name: intervals.longest(gathered.jobs(name)) for name in gathered.names() - history.present}
    )
    made = recorded(rules)
    metrics = {}
    for name in sorted(named | gathered.names()):
        declared = name not in history.present and bool(declaring(name, types))
        if name in gathered.names() or declared:
            metrics[name] = replace(
                gathered.metric(name, kind_of(name, types)),
                last_seen=None if declared else gone.get(name),
                declared=declared,
                scrape_interval_seconds=None if name in made else intervals.shortest(gathered.jobs(name)),
            )
    jobs = {job for name in named for job in gathered.jobs(name)}
    there = len(named & metrics.keys())
    return Schema(
        origin="environment",
        metrics=metrics,
        recorded=made,
        scrape_interval_seconds=intervals.longest(jobs) or intervals.longest(),
        families={name: kind_of_type(type) for name, type in types.items()} | _histograms(metrics),
        told=f"of the last 15 days in Prometheus, which has {there} of {len(named)} metrics",
    )


class _Intervals:
    """How often, in seconds, the targets of each job are scraped."""

    def __init__(self, targets: "Iterable[Target]") -> None:
        self._by_job: dict[str, set[float]] = {}
        for target in targets:
            self._by_job.setdefault(target.job, set()).add(target.scrape_interval_seconds)

    def longest(self, jobs: Collection[str] | None = None) -> float | None:
        """Of these jobs, or of all; None where none of them is scraped."""
        of = self._by_job if jobs is None else self._by_job.keys() & jobs
        return max((interval for job in of for interval in self._by_job[job]), default=None)

    def shortest(self, jobs: Collection[str]) -> float | None:
        """Of these jobs; None where one of them is not scraped by this server."""
        if not jobs or not self._by_job.keys() >= set(jobs):
            return None
        return min(interval for job in jobs for interval in self._by_job[job])


async def _or_nothing(asked: Awaitable[_T], nothing: _T) -> _T:
    try:
        return await asked
    except (Nonsense, Refused):
        return nothing


def _families(names: Iterable[str]) -> set[str]:
    """The names, and all others that their series would have were they parts of a histogram."""
    bare = {next((name.removesuffix(part) for part in PARTS if name.endswith(part)), name) for name in names}
    return {*names, *bare, *(name + part for name in bare for part in PARTS)}


def _alike(missing: Iterable[str], known: Collection[str]) -> set[str]:
    """Those that are spelt almost like one that is missing."""
    asked = sorted(missing)[:_MOST_MISSING]
    return {close for name in asked for close in get_close_matches(name, known, n=2, cutoff=_LIKE)}


def _histograms(metrics: Mapping[str, Metric]) -> dict[str, Kind]:
    """What has buckets is a histogram, whether its target declares it or not."""
    return {
        name.removesuffix("_bucket"): "histogram"
        for name, metric in metrics.items()
        if name.endswith("_bucket") and "le" in metric.possible
    }
