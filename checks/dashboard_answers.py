"""Grafana serves the dashboard, its data sources are healthy, and its queries run."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from opsconsole.checkkit import (
    Finding,
    Grafana,
    Prometheus,
    Seen,
    Service,
    compared_dashboard,
    first_scrape,
    run_panels,
)

DIAGNOSIS = ("grafana_answers", "prometheus_answers")

_SHOWN = 3


async def check(
    grafana: Grafana,
    prometheus: Prometheus,
    service: Service | None = None,
    *,
    panels: tuple[str, ...] = (),
) -> AsyncIterator[Finding | Seen]:
    """Health, token, dashboard by uid and the time it shows, health of each data source and whether it is
    our Prometheus, every panel's queries once; `panels` are the titles of those that must be there. Where the
    environment names a reference dashboard: what each panel shows, and the variables, against it."""
    health = await grafana.health()
    if health.database != "ok":
        yield Finding(summary=f"Grafana's database is {health.database}")
    dashboard = await grafana.dashboard_model()
    if dashboard is None:
        yield Finding(
            summary=f"there is no dashboard with the uid {grafana.dashboard}",
            remedy="import the dashboard, or correct grafana.dashboard in opsconsole.toml",
        )
        return
    now = await prometheus.now()
    shown = {panel.title for panel in dashboard.panels if panel.queries}
    hidden = {panel.title for panel in dashboard.panels if panel.hidden}
    told = list(_not_shown(set(panels) - shown, hidden))
    for finding in (*told, *_past(dashboard.fixed_end, now)):
        yield finding
    compared = list(_compared(grafana, dashboard, told))
    for said in compared:
        if isinstance(said, Finding):
            yield said
    if service is not None:
        await first_scrape(prometheus, service.job, scrapes=2)
    queries = [query for panel in dashboard.panels for query in panel.queries if not query.has_own_source]
    unwell = set()
    for uid in sorted({query.datasource_uid for query in queries if not query.source_unfilled}):
        if found := await _source(grafana, uid) or await _elsewhere(grafana, prometheus, service, uid, now):
            unwell.add(uid)
            yield found
    for uid in sorted({query.datasource_uid for query in queries if query.source_unfilled}):
        unwell.add(uid)
        yield Finding(
            subject=f"data source {uid}",
            summary="was never filled in: the dashboard was imported without its inputs",
            remedy="import it by /api/dashboards/import, which takes inputs",
        )
    runs = await run_panels(grafana, dashboard, now)
    for run in runs:
        if run.error and not unwell.intersection(run.datasource_uids):
            yield Finding(subject=run.title, summary=f"its query fails: {run.error}", detail=run.expressions)
    showing = [run for run in runs if run.values]
    if not showing and not unwell:
        yield Finding(summary=f"none of the {len(runs)} panels shows data")
    yield Seen(
        f"Grafana {health.version}, {dashboard.title!r} version {dashboard.version}: "
        f"{len(showing)} of {len(runs)} panels show data"
    )
    for said in compared:
        if isinstance(said, Seen):
            yield said


def _compared(grafana: Grafana, dashboard: Any, told: Sequence[Finding]) -> Iterable[Finding | Seen]:
    if grafana.reference is None:
        return [Seen("what its panels show was not compared with a reference: none is configured")]
    return compared_dashboard(grafana.reference, dashboard, {finding.subject for finding in told})


def _not_shown(titles: set[str], hidden: set[str]) -> Iterator[Finding]:
    for title in sorted(titles):
        if title in hidden:
            yield Finding(
                subject=title,
                summary="all its queries are hidden, so it shows nothing",
                remedy="edit the panel, show the query (the eye beside it), and save the dashboard",
            )
        else:
            yield Finding(
                subject=title,
                summary="there is no such panel with a query",
                remedy="was the dashboard changed by hand, or an old one put back? import it again",
            )


def _past(end: float | None, now: float) -> Iterator[Finding]:
    if end is not None and end < now:
        day = datetime.fromtimestamp(end, UTC).date()
        yield Finding(
            summary=f"it opens with a fixed time range, which ended on {day}",
            remedy='choose a range that ends "now", and save the dashboard with it',
        )


async def _source(grafana: Grafana, uid: str) -> Finding | None:
    well, text = await grafana.datasource_health(uid)
    if well:
        return None
    return Finding(
        subject=f"data source {uid}",
        summary=f"is not healthy: {text}",
        remedy="correct it in Grafana under Connections, or have the dashboard use another",
    )


async def _elsewhere(
    grafana: Grafana, prometheus: Prometheus, service: Service | None, uid: str, now: float
) -> Finding | None:
    """Where the data source leads to a Prometheus that has other targets in the place of all of ours."""
    if service is None:
        return None
    query = f'group by (instance) (up{{job="{service.job}"}})'
    here = {sample.labels.get("instance", "") for sample in await prometheus.query(query)}
    asked = {"refId": "A", "expr": query, "instant": True, "range": False, "datasource": {"uid": uid}}
    told = (await grafana.run([asked], now - 60, now))["A"]
    there = {labels.get("instance", "") for labels in told.series}
    if told.error or not here or not there or here & there:
        return None
    return Finding(
        subject=f"data source {uid}",
        summary=f"leads to another Prometheus: none of its targets of {service.job} is one of ours",
        detail=f"Grafana's: {_few(there)}\nours: {_few(here)}",
        remedy="correct its URL in Grafana, or prometheus.url in opsconsole.toml",
    )


def _few(names: set[str]) -> str:
    shown = sorted(names)[:_SHOWN]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
