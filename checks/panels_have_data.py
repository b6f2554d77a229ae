"""No panel shows "No data": each has some, or could have."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import (
    Finding,
    Grafana,
    PanelRun,
    Prometheus,
    Seen,
    Service,
    first_scrape,
    promql,
    run_panels,
)

DIAGNOSIS = ("target_is_up", "metrics_endpoint_answers", "grafana_answers", "prometheus_answers")

_LOOK_BACK_SECONDS = 15 * 86_400.0


async def check(
    grafana: Grafana, prometheus: Prometheus, service: Service | None = None
) -> AsyncIterator[Finding | Seen]:
    """Per panel: data; no activity yet (its series exist, its value is empty); never (a metric or label
    that does not exist, a join that matches nothing); or an error."""
    if service is not None:
        await first_scrape(prometheus, service.job)
    dashboard = await grafana.dashboard_model()
    if dashboard is None:
        yield Finding(summary=f"there is no dashboard with the uid {grafana.dashboard}")
        return
    runs = await run_panels(grafana, dashboard, await prometheus.now())
    if not runs:
        yield Finding(summary=f"the dashboard {dashboard.title!r} has no panel with a query")
    empty = [run for run in runs if not run.values and not run.error]
    world = await _world(prometheus, empty)
    quiet = 0
    for run in runs:
        if run.error:
            yield Finding(subject=run.title, summary=f"query error: {run.error}", detail=run.expressions)
        elif run.values:
            yield Seen(f"data: {run.values} values in {run.series} series", subject=run.title)
        elif reason := _never(run, world):
            yield Finding(subject=run.title, summary=f"can never have data: {reason}", detail=run.expressions)
        else:
            quiet += 1
            yield Seen("no activity yet: its series exist, its value is empty", subject=run.title)
    showing = sum(bool(run.values) for run in runs)
    if runs:
        yield Seen(
            f"{showing} of {len(runs)} panels show data" + (f", {quiet} wait for activity" if quiet else "")
        )


def _never(run: PanelRun, world: promql.World) -> str | None:
    """The reason of the first query, if none of the panel's queries can ever have data."""
    reasons = [promql.never(promql.parse(query), world) for query in run.queries]
    return reasons[0] if reasons and all(reasons) else None


async def _world(prometheus: Prometheus, runs: list[PanelRun]) -> promql.World:
    """What exists of the metrics that these panels ask for, over all the history that there is."""
    names = {
        selector.metric
        for run in runs
        for query in run.queries
        for selector in promql.selectors(promql.parse(query))
        if selector.metric
    }
    asked = sorted(names | {f"{name}_bucket" for name in names})
    if not asked:
        return promql.SeriesWorld([])
    now = await prometheus.now()
    return promql.SeriesWorld(await prometheus.series(*asked, start=now - _LOOK_BACK_SECONDS, end=now))
