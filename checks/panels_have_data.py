"""No panel shows "No data": each has some, or could have."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import (
    Finding,
    Grafana,
    Known,
    Prometheus,
    Seen,
    Service,
    SignOff,
    first_scrape,
    known,
    promql,
    run_panels,
    scraped_no_longer,
)

DIAGNOSIS = ("target_is_up", "metrics_endpoint_answers", "grafana_answers", "prometheus_answers")


async def check(
    grafana: Grafana, prometheus: Prometheus, service: Service | None = None
) -> AsyncIterator[Finding | Seen]:
    """Per panel: data; no activity yet (its series exist, its value is empty); never, also where only one of
    its queries (a metric or label that does not exist, a join that matches nothing); scraped no longer; or
    an error. Where a label has a value that was never seen, a metric is gone that may only wait for an event,
    or never rests on a guess, a person tells."""
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
    exists = await known(prometheus, queries=[query for run in runs for query in run.empty])
    blind = await scraped_no_longer(prometheus, service, exists, [q for run in runs for q in run.empty])
    quiet, unheard = 0, []
    for run in runs:
        reasons = [reason for query in run.empty for reason in exists.never(query)]
        proven = next((reason for reason in reasons if not reason.guess), None)
        if run.error:
            yield Finding(subject=run.title, summary=f"query error: {run.error}", detail=run.expressions)
        elif proven:
            some = "a query of it " if run.values else ""
            yield Finding(
                subject=run.title,
                summary=f"{some}can never have data: {proven.summary}",
                detail=run.expressions,
                remedy=f"instead: {proven.correction}" if proven.correction else "",
            )
        elif lost := [one for query in run.empty for one in blind.get(query, ())]:
            if gone := next((one for one in lost if one.proof), None):
                yield Finding(subject=run.title, summary=f"rests on {gone}", detail=gone.proof)
            else:
                unheard.append(f"{run.title} (rests on {lost[0]})")
        elif run.values:
            yield Seen(f"data: {run.values} values in {run.series} series", subject=run.title)
        elif reasons:
            unheard.append(f"{run.title} ({reasons[0].summary}, given {reasons[0].guess})")
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
            f"Empty, perhaps for ever, as what they ask for was never seen or is gone: {'; '.join(unheard)}. "
            "Did that never happen, or is it misspelt or renamed?"
        )


def _unheard_of(query: str, exists: Known) -> list[str]:
    """The selectors of a query that match none of the series that there are, though these have the label."""
    return [
        f'{matcher.label}="{matcher.value}"'
        for selector in promql.selectors(promql.parse(query))
        for matcher in selector.matchers
        if matcher.operator == "=" and selector.metric
        if matcher.value not in exists.values(selector.metric, matcher.label)
    ]
