"""A dashboard's panels as a person would see them: variables filled in, every query run once."""

from dataclasses import dataclass
from typing import Any

from opsconsole import promql
from opsconsole.clients.dashboards import Dashboard, Panel, PanelQuery, Variable
from opsconsole.clients.grafana import Grafana, PanelResult

_ALL = "$__all"
_DEFAULT_SPAN_SECONDS = 6 * 3600.0
"""Grafana's own default, where a dashboard does not say what it shows."""

_SCRAPE_INTERVAL_SECONDS = 15.0
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


async def run_panels(grafana: Grafana, dashboard: Dashboard, now: float) -> list[PanelRun]:
    """Run every panel that has a query, over the time span that the dashboard shows, in one request.

    `now` is unix seconds, taken to the second, so that two checks that look at the same moment ask once.
    A panel whose variable cannot be filled, or whose query fails, has an `error`.
    """
    now = float(round(now))
    start = now - _span_seconds(dashboard)
    panels = [panel for panel in dashboard.panels if panel.queries]
    filled = {
        _key(panel, query): promql.fill(query.expr, _values(dashboard, now - start))
        for panel in panels
        for query in panel.queries
    }
    unresolved = {key: names for key, expr in filled.items() if (names := promql.unresolved(expr))}
    asked = [
        _request(_key(panel, query), query, filled[_key(panel, query)])
        for panel in panels
        for query in panel.queries
        if _key(panel, query) not in unresolved
    ]
    results = await grafana.run(asked, start, now) if asked else {}
    return [_run(panel, filled, unresolved, results) for panel in panels]


def _run(
    panel: Panel, filled: dict[str, str], unresolved: dict[str, Any], results: dict[str, PanelResult]
) -> PanelRun:
    keys = [_key(panel, query) for query in panel.queries]
    answers = [results[key] for key in keys if key in results]
    errors = [
        f"the variable {', '.join(sorted(unresolved[key]))} has no value" for key in keys if key in unresolved
    ]
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


def _is_empty(result: PanelResult) -> bool:
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


def _values(dashboard: Dashboard, span_seconds: float) -> dict[str, str]:
    """What Grafana would put in for each variable."""
    values = {variable.name: _value(variable) for variable in dashboard.variables}
    known = {name: value for name, value in values.items() if value is not None}
    return {**known, **promql.time_variables(span_seconds, _SCRAPE_INTERVAL_SECONDS)}


def _value(variable: Variable) -> str | None:
    current = variable.current or variable.options[:1]
    if not current:
        return None
    if _ALL in current:
        options = [option for option in variable.options if option != _ALL]
        return variable.all_value or "|".join(options) or ".*"
    return current[0] if len(current) == 1 else f"({'|'.join(current)})"


def _span_seconds(dashboard: Dashboard) -> float:
    begin = str((dashboard.raw.get("time") or {}).get("from", ""))
    length = begin.removeprefix("now-")
    units = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
    if begin.startswith("now-") and length[:-1].isdigit() and length[-1] in units:
        return int(length[:-1]) * units[length[-1]]
    return _DEFAULT_SPAN_SECONDS
