"""No panel shows "No data": each has some, or could have."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import (
    Finding,
    Grafana,
    Prometheus,
    Seen,
    Service,
    SignOff,
    first_scrape,
    promql,
    run_panels,
    scraped_no_longer,
    world,
)

DIAGNOSIS = ("target_is_up", "metrics_endpoint_answers", "grafana_answers", "prometheus_answers")


async def check(
    grafana: Grafana, prometheus: Prometheus, service: Service | None = None
) -> AsyncIterator[Finding | Seen]:
    """Per panel: data; no activity yet (its series exist, its value is empty); never, also where only one of
    its queries (a metric or label that does not exist, a join that matches nothing); scraped no longer; or
    an error. Where a label has a value that was never seen, or a metric is gone that may only wait for an
    event, a person tells."""
    dashboard = await grafana.dashboard_model()
    if service is not None:
        await first_scrape(prometheus, service.job, scrapes=2)
    if dashboard is None:
        yield Finding(summary=f"there is no dashboard with the uid {grafana.dashboard}")
        return
    now = await prometheus.now()
    runs = await run_panels(grafana, dashboard, now)
    if not runs:
        yield Finding(summary=f"the dashboard {dashboard.title!r} has no panel with a query")
    exists = await world(prometheus, [query for run in runs for query in run.empty], now)
    blind = await scraped_no_longer(prometheus, service, exists, [q for run in runs for q in run.empty])
    quiet, unheard = 0, []
    for run in runs:
        nothing = {query: _never(query, exists) for query in run.empty}
        if run.error:
            yield Finding(subject=run.title, summary=f"query error: {run.error}", detail=run.expressions)
        elif reasons := [reason for reason in nothing.values() if reason]:
            some = "a query of it " if run.values else ""
            yield Finding(
                subject=run.title, summary=f"{some}can never have data: {reasons[0]}", detail=run.expressions
            )
        elif lost := [one for query in run.empty for one in blind.get(query, ())]:
            if proven := next((one for one in lost if one.proof), None):
                yield Finding(subject=run.title, summary=f"rests on {proven}", detail=proven.proof)
            else:
                unheard.append(f"{run.title} (rests on {lost[0]})")
        elif run.values:
            yield Seen(f"data: {run.values} values in {run.series} series", subject=run.title)
        elif strange := [one for query in run.empty for one in _unheard_of(query, exists)]:
            unheard.append(f"{run.title} ({', '.join(strange)})")
        else:
            quiet += 1
            yield Seen("no activity yet: its series exist, its value is empty", subject=run.title)
    showing = sum(bool(run.values) for run in runs)
    if runs:
        yield Seen(
            f"{showing} of {len(runs)} panels show data" + (f", {quiet} wait for activity" if quiet else "")
        )
    if unheard:
        raise SignOff(
            f"Empty, for a label has a value that was never seen, or a metric is gone: {'; '.join(unheard)}. "
            "Did that never happen, or is it misspelt or renamed?"
        )


def _never(query: str, exists: "promql.SeriesWorld") -> str | None:
    return promql.never(promql.parse(query), exists)


def _unheard_of(query: str, exists: "promql.SeriesWorld") -> list[str]:
    """The selectors of a query that match none of the series that there are, though these have the label."""
    return [
        f'{matcher.label}="{matcher.value}"'
        for selector in promql.selectors(promql.parse(query))
        for matcher in selector.matchers
        if matcher.operator == "=" and selector.metric
        if matcher.value not in exists.values_of(selector.metric, matcher.label)
    ]
