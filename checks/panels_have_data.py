"""No panel shows "No data": each has some, or could have."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from opsconsole.checkkit import (
    Finding,
    Grafana,
    Known,
    Nonsense,
    PanelRun,
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

_QUIET = "no activity yet: its series exist, its value is empty"


async def check(
    grafana: Grafana, prometheus: Prometheus, service: Service | None = None
) -> AsyncIterator[Finding | Seen]:
    """Per panel: data; no activity yet (its series exist, its value is empty); never, also where only one of
    its queries (a metric or label that does not exist, a join that matches nothing), or where a constant is
    shown instead; scraped no longer, also where what is shown is old; or an error. Where a label has a value
    that was never seen, a metric is gone that may only wait for an event, or never rests on a guess, a person
    tells."""
    dashboard = await grafana.dashboard_model()
    if service is not None:
        await first_scrape(prometheus, service.job, scrapes=2)
    if dashboard is None:
        yield Finding(summary=f"there is no dashboard with the uid {grafana.dashboard}")
        return
    runs = await run_panels(grafana, dashboard, await prometheus.now())
    if not runs:
        yield Finding(summary=f"the dashboard {dashboard.title!r} has no panel with a query")
    facts = await _facts(prometheus, service, runs)
    quiet, unheard = 0, []
    for run in runs:
        if isinstance(said := _said(run, facts), str):
            unheard.append(f"{run.title} ({said})")
        else:
            quiet += said == Seen(_QUIET, subject=run.title)
            yield said
    if runs:
        showing, waiting = sum(bool(run.values) for run in runs), f", {quiet} wait for activity"
        yield Seen(f"{showing} of {len(runs)} panels show data{waiting if quiet else ''}")
    if unheard:
        raise SignOff(
            f"Empty, perhaps for ever, as what they ask for was never seen or is gone: {'; '.join(unheard)}. "
            "Did that never happen, or is it misspelt or renamed?"
        )


@dataclass(frozen=True)
class _Facts:
    """What is known of the panels' queries: the series that there are; what is gone, by the query that rests
    on it (empty, or with old data alone); the parts that a constant stands in for, by their query."""

    exists: Known
    blind: Mapping[str, list[Any]]
    stood_in_for: Mapping[str, list[str]]


async def _facts(prometheus: Prometheus, service: Service | None, runs: list[PanelRun]) -> _Facts:
    empty = {query for run in runs for query in run.empty}
    reads, stood_in_for = {}, {}
    for query in {query for run in runs if not run.error for query in run.queries} - empty:
        with suppress(Nonsense):  # Prometheus takes it
            tree = promql.parse(query)
            reads[query] = {one.metric for one in promql.selectors(tree) if one.metric and not one.shifted}
            stood_in_for[query] = promql.stood_in_for(tree)
    gone = await _not_scraped(prometheus, {metric for metrics in reads.values() for metric in metrics})
    asked = [*empty, *(query for query, metrics in reads.items() if metrics & gone)]
    parts = [part for each in stood_in_for.values() for part in each]
    exists = await known(prometheus, queries=[*asked, *parts])
    return _Facts(exists, await scraped_no_longer(prometheus, service, exists, asked), stood_in_for)


async def _not_scraped(prometheus: Prometheus, metrics: Collection[str]) -> set[str]:
    """Those without a sample in the last five minutes: so long a dashboard may be behind what is."""
    if not metrics:
        return set()
    names = "|".join(sorted(metrics))
    found = await prometheus.query(f'count by (__name__) (last_over_time({{__name__=~"{names}"}}[5m]))')
    return set(metrics) - {sample.labels["__name__"] for sample in found}


def _said(run: PanelRun, facts: _Facts) -> Finding | Seen | str:
    """What is to be said of a panel; a text where a person must tell."""
    reasons = [reason for query in run.empty for reason in facts.exists.never(query)]
    if run.error:
        return Finding(subject=run.title, summary=f"query error: {run.error}", detail=run.expressions)
    if proven := next((reason for reason in reasons if not reason.guess), None):
        return Finding(
            subject=run.title,
            summary=f"{'a query of it ' if run.values else ''}can never have data: {proven.summary}",
            detail=run.expressions,
            remedy=f"instead: {proven.correction}" if proven.correction else "",
        )
    lost = [one for query in run.empty for one in facts.blind.get(query, ())]
    old = [one for query in run.queries if query not in run.empty for one in facts.blind.get(query, ())]
    if gone := next((one for one in (*lost, *old) if one.proof), None):
        shown = "" if gone in lost else "shows old data: it "
        return Finding(subject=run.title, summary=f"{shown}rests on {gone}", detail=gone.proof)
    if lost:
        return f"rests on {lost[0]}"
    if constant := _constant(run, facts):
        return constant
    if run.values:
        return Seen(f"data: {run.values} values in {run.series} series", subject=run.title)
    if reasons:
        return f"{reasons[0].summary}, given {reasons[0].guess}"
    strange = [one for query in run.empty for one in _unheard_of(query, facts.exists)]
    return ", ".join(strange) or Seen(_QUIET, subject=run.title)


def _constant(run: PanelRun, facts: _Facts) -> Finding | None:
    """A panel that shows a constant for what can never have data. What nobody exports may wait for its first
    event, which the constant is for; not so where a metric has nearly the same name."""
    parts = [part for query in run.queries for part in facts.stood_in_for.get(query, ())]
    for reason in (reason for part in parts for reason in facts.exists.never(part)):
        if reason.correction and not reason.guess:
            return Finding(
                subject=run.title,
                summary=f"shows a constant in the place of what can never have data: {reason.summary}",
                detail=run.expressions,
                remedy=f"instead: {reason.correction}",
            )
    return None


def _unheard_of(query: str, exists: Known) -> list[str]:
    """The selectors of a query that match none of the series that there are, though these have the label."""
    found = []
    for selector in promql.selectors(promql.parse(query)):
        for matcher in selector.matchers if selector.metric else ():
            values = exists.values(selector.metric or "", matcher.label)
            if matcher.operator == "=" and matcher.value not in values:
                near = get_close_matches(matcher.value, sorted(values), n=1)
                perhaps = f', perhaps "{near[0]}"' if near else ""
                found.append(f'{matcher.label}="{matcher.value}"{perhaps}')
    return found
