"""A dashboard's panels as a person would see them: variables filled in, every query run once."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from opsconsole import promql
from opsconsole.clients import wire
from opsconsole.clients.dashboards import Dashboard, Panel, PanelQuery, Variable
from opsconsole.errors import Nonsense

if TYPE_CHECKING:
    from opsconsole.clients.grafana import Grafana, PanelResult

ALL = "$__all"
_OPTIONS = re.compile(r"(?:\\,|[^,])+")
_DEFAULT_SPAN_SECONDS = 6 * 3600.0
"""Grafana's own default, where a dashboard does not say what it shows."""

SCRAPE_INTERVAL_SECONDS = 15.0
"""What a Prometheus data source assumes where it is not told: it gives `$__rate_interval` its 1 m."""

_SOURCE = "prometheus"


@dataclass(frozen=True)
class PanelRun:
    """A panel and what its queries gave.

    `queries` are its PromQL with the variables filled in; `values` counts the finite numbers that it
    would draw, `series` the lines; `empty` has the queries that ran and gave no number; `error` is the
    first query's that failed, empty where all ran.
    """

    title: str
    queries: tuple[str, ...]
    datasource_uids: tuple[str, ...]
    series: int
    values: int
    empty: tuple[str, ...]
    error: str

    @property
    def expressions(self) -> str:
        return "\n".join(self.queries)


async def run_panels(grafana: "Grafana", dashboard: Dashboard, now: float) -> list[PanelRun]:
    """Run every panel that has a query, over a time as long as the dashboard shows, in one request for each
    data source: one that does not exist would fail them all. Queries of Grafana's own are left out.

    `now` is unix seconds, taken to the second, so that two checks that look at the same moment ask once.
    A panel whose variable or data source cannot be filled, or whose query fails, has an `error`.
    """
    now = float(round(now))
    start = now - span_seconds(dashboard)
    panels = [
        replace(panel, queries=[q for q in panel.queries if not q.has_own_source])
        for panel in dashboard.panels
    ]
    panels = [panel for panel in panels if panel.queries]
    values = chosen(dashboard)
    filled = {
        _key(panel, query): fill(dashboard, query, values) for panel in panels for query in panel.queries
    }
    unasked = {
        _key(panel, query): why
        for panel in panels
        for query in panel.queries
        if (why := _unasked(query, filled[_key(panel, query)]))
    }
    asked: dict[str, list[dict[str, Any]]] = {}
    for panel in panels:
        for query in panel.queries:
            if (key := _key(panel, query)) not in unasked:
                asked.setdefault(query.datasource_uid, []).append(_request(key, query, filled[key]))
    answered = await asyncio.gather(*(grafana.run(queries, start, now) for queries in asked.values()))
    results = {key: result for answers in answered for key, result in answers.items()}
    return [_run(panel, filled, unasked, results) for panel in panels]


def _unasked(query: PanelQuery, expr: str) -> str:
    """Why a query cannot be asked; empty where it can."""
    if query.source_unfilled:
        return f"the data source {query.datasource_uid} was never filled in"
    names = promql.unresolved(expr)
    return f"the variable {', '.join(sorted(names))} has no value" if names else ""


def _run(
    panel: Panel, filled: dict[str, str], unasked: dict[str, str], results: "dict[str, PanelResult]"
) -> PanelRun:
    keys = [_key(panel, query) for query in panel.queries]
    answers = [results[key] for key in keys if key in results]
    errors = [unasked[key] for key in keys if key in unasked]
    errors += [answer.error for answer in answers if answer.error]
    return PanelRun(
        title=panel.title,
        queries=tuple(filled[key] for key in keys),
        datasource_uids=tuple(dict.fromkeys(query.datasource_uid for query in panel.queries)),
        series=sum(answer.frames for answer in answers),
        values=sum(answer.numbers for answer in answers),
        empty=tuple(filled[key] for key in keys if key in results and _is_empty(results[key])),
        error=errors[0] if errors else "",
    )


def _is_empty(result: "PanelResult") -> bool:
    return not result.error and not result.numbers


def _key(panel: Panel, query: PanelQuery) -> str:
    return f"P{panel.id}{query.ref_id}"


def _request(key: str, query: PanelQuery, expr: str) -> dict[str, Any]:
    return {
        **query.raw,
        "refId": key,
        "expr": expr,
        "datasource": {"uid": query.datasource_uid, "type": _SOURCE},
        "instant": query.instant,
        "range": not query.instant,
    }


def fill(
    dashboard: Dashboard,
    query: PanelQuery,
    values: Mapping[str, promql.Value],
    *,
    scrape_interval_seconds: float = SCRAPE_INTERVAL_SECONDS,
) -> str:
    """The query as Grafana sends it: the values and time variables put in, ad hoc filters added."""
    step = promql.fill(query.min_step, values).lstrip("<>= ")
    with suppress(ValueError):
        scrape_interval_seconds = wire.seconds(step) or scrape_interval_seconds
    times = promql.time_variables(span_seconds(dashboard), scrape_interval_seconds)
    expr = promql.fill(promql.fill(query.expr, values), times)
    matchers = [promql.Matcher(*each) for variable in dashboard.variables for each in variable.filters]
    if not matchers or promql.unresolved(expr):
        return expr
    with suppress(Nonsense):
        return promql.with_matchers(expr, matchers)
    return expr


def chosen(dashboard: Dashboard) -> dict[str, promql.Value]:
    """What Grafana would put in for each variable by what is saved; those without a value are not there."""
    values: dict[str, promql.Value] = {}
    for variable in dashboard.variables:
        value = value_of(variable, variable.current, variable.options, span_seconds(dashboard))
        if value is not None:
            values[variable.name] = promql.fill(value, values) if isinstance(value, str) else value
    return values


def value_of(
    variable: Variable, current: Sequence[str], options: Sequence[str], seconds: float
) -> promql.Value | None:
    """What `current` of these options means, for a dashboard that shows so many `seconds`. None where nothing
    is chosen and nothing is there to choose from."""
    options = options or _written(variable)
    current = current or ([ALL] if variable.has_all else options[:1])
    if not current:
        return "" if variable.kind == "textbox" else None
    if ALL in current:
        each = tuple(option for option in options if option != ALL)
        return variable.all_value or each or ".*"
    if variable.kind == "interval" and current[0].removeprefix("$__").startswith("auto"):
        with suppress(ValueError):
            return f"{max(round(seconds / variable.steps), round(wire.seconds(variable.least)), 1)}s"
    return tuple(current) if variable.several or len(current) > 1 else current[0]


def _written(variable: Variable) -> list[str]:
    """The options of a variable that has them in its definition."""
    if variable.kind in ("constant", "textbox"):
        return [variable.query] if variable.query else []
    if variable.kind not in ("custom", "interval"):
        return []
    listed = [option.replace("\\,", ",").strip() for option in _OPTIONS.findall(variable.query)]
    return [option.rpartition(" : ")[2] for option in listed if option]


def span_seconds(dashboard: Dashboard) -> float:
    """How long a time the dashboard shows."""
    begin = str((dashboard.raw.get("time") or {}).get("from", ""))
    length = begin.removeprefix("now-")
    units = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
    if begin.startswith("now-") and length[:-1].isdigit() and length[-1] in units:
        return int(length[:-1]) * units[length[-1]]
    return _DEFAULT_SPAN_SECONDS
