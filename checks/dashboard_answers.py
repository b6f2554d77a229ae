"""Grafana serves the dashboard, its data sources are healthy, and its queries run."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import Finding, Grafana, Prometheus, Seen, Service, first_scrape, run_panels

DIAGNOSIS = ("grafana_answers", "prometheus_answers")


async def check(
    grafana: Grafana,
    prometheus: Prometheus,
    service: Service | None = None,
    *,
    panels: tuple[str, ...] = (),
) -> AsyncIterator[Finding | Seen]:
    """Health, token, dashboard by uid, health of each data source, every panel's queries once; `panels`
    are the titles of those that must be there."""
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
    for title in sorted(set(panels) - {panel.title for panel in dashboard.panels if panel.queries}):
        yield Finding(
            subject=title,
            summary="there is no such panel with a query",
            remedy="was the dashboard changed by hand? import it again",
        )
    if service is not None:
        await first_scrape(prometheus, service.job, scrapes=2)
    for uid in sorted({query.datasource_uid for panel in dashboard.panels for query in panel.queries} - {""}):
        well, text = await grafana.datasource_health(uid)
        if not well:
            yield Finding(subject=f"data source {uid}", summary=f"is not healthy: {text}")
    runs = await run_panels(grafana, dashboard, await prometheus.now())
    for run in runs:
        if run.error:
            yield Finding(subject=run.title, summary=f"its query fails: {run.error}", detail=run.expressions)
    showing = [run for run in runs if run.values]
    if not showing:
        yield Finding(summary=f"none of the {len(runs)} panels shows data")
    yield Seen(
        f"Grafana {health.version}, {dashboard.title!r} version {dashboard.version}: "
        f"{len(showing)} of {len(runs)} panels show data"
    )
