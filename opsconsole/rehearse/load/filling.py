"""The panels of a dashboard with PromQL, and their variables filled in: by what is saved, then by the series
that are known."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from opsconsole import promql
from opsconsole.clients.dashboards import Dashboard, PanelQuery, Variable
from opsconsole.clients.panels import ALL, SCRAPE_INTERVAL_SECONDS, fill, span_seconds, value_of
from opsconsole.promql import Selector
from opsconsole.rehearse.load.series import MOST, asked, selects
from opsconsole.rehearse.model import Panel
from opsconsole.rehearse.schema import Schema

_ANY_SOURCE = ("", "datasource", "mixed")
_OF_OTHERS = ("query", "rawSql", "target", "measurement", "metrics", "bucketAggs", "queryText")
_LABEL_VALUES = re.compile(
    r"\s*label_values\(\s*(?:(?P<selector>.*\S)\s*,)?\s*(?P<label>[\w.]+)\s*\)\s*", re.DOTALL
)

Values = dict[str, promql.Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardPanel(Panel):
    """A panel that remembers what it was filled in from. `now` is when, in unix seconds;
    `scrape_interval_seconds` is what its data source is set to, None where that is not known."""

    board: Dashboard = field(compare=False, repr=False)
    saved: tuple[PanelQuery, ...] = field(compare=False, repr=False)
    now: float
    scrape_interval_seconds: float | None = None


def panels_of(
    board: Dashboard,
    now: float,
    left: Counter[str],
    types: Mapping[str, str] | None = None,
    intervals: Mapping[str, float] | None = None,
) -> list[Panel]:
    """The panels with PromQL, filled in by what is saved. Those of other data sources are counted in `left`,
    by kind. `types` are the plugins and `intervals` the scrape intervals, in seconds, of data sources by uid,
    where they are known."""
    panels = []
    for panel in board.panels:
        kinds = [(query, _kind(query, types or {})) for query in panel.queries]
        left.update({kind for _, kind in kinds if kind not in ("", "prometheus")})
        if saved := tuple(query for query, kind in kinds if kind == "prometheus"):
            found = DashboardPanel(
                title=panel.title or f"panel {panel.id}",
                queries=(),
                dashboard=board.title,
                board=board,
                saved=saved,
                now=now,
                scrape_interval_seconds=(intervals or {}).get(saved[0].datasource_uid),
            )
            panels.append(found)
    return _filled(panels, None)


def refill(panels: Iterable[Panel], schema: Schema) -> list[Panel]:
    """The same panels, filled in anew by the series that are known: a query variable takes its values from
    them, as Grafana does when it opens the dashboard, and `$__rate_interval` goes by their scrape interval
    where that of the data source is not known. Panels that were not loaded from a dashboard stay."""
    return _filled(panels, schema)


def variable_selectors(panels: Iterable[Panel]) -> list[Selector]:
    """What the queries of the panels' variables select."""
    boards = {id(panel.board): panel.board for panel in panels if isinstance(panel, DashboardPanel)}
    found: list[str] = []
    for board in boards.values():
        values = _values(board, 0.0, None)
        for variable in board.variables:
            if asks := _LABEL_VALUES.fullmatch(promql.fill(variable.query, values)):
                found.append(asks["selector"] or "")
    return asked(found)


def _kind(query: PanelQuery, types: Mapping[str, str]) -> str:
    """prometheus, the kind of another data source, or empty for a query that asks none."""
    kind = query.datasource_type or types.get(query.datasource_uid, "")
    if "prometheus" in kind or kind in _ANY_SOURCE:
        if query.expr.strip():
            return "loki" if not kind and "loki" in query.datasource_uid.lower() else "prometheus"
        return "another source" if any(query.raw.get(key) for key in _OF_OTHERS) else ""
    return "" if kind in ("__expr__", "dashboard") else kind


def _filled(panels: Iterable[Panel], schema: Schema | None) -> list[Panel]:
    known: dict[int, Values] = {}
    return [_fill(panel, known, schema) if isinstance(panel, DashboardPanel) else panel for panel in panels]


def _fill(panel: DashboardPanel, known: dict[int, Values], schema: Schema | None) -> Panel:
    if id(panel.board) not in known:
        known[id(panel.board)] = _values(panel.board, panel.now, schema)
    values = known[id(panel.board)]
    interval = panel.scrape_interval_seconds or (schema.scrape_interval_seconds if schema else None)
    queries = tuple(
        fill(panel.board, query, values, scrape_interval_seconds=interval or SCRAPE_INTERVAL_SECONDS)
        for query in panel.saved
    )
    left = dict.fromkeys(name for query in queries for name in promql.unresolved(query))
    return replace(panel, queries=queries, unfilled=tuple(left))


def _values(board: Dashboard, now: float, schema: Schema | None) -> Values:
    """Each variable's value; one that has none yet, as nobody ran its query, stands as its own name."""
    seconds = span_seconds(board)
    values: Values = {}
    for variable in board.variables:
        current, options = _choice(variable, values, schema)
        value = value_of(variable, current, options, seconds)
        if value is not None:
            values[variable.name] = promql.fill(value, values) if isinstance(value, str) else value
    times = {"__from": str(round(1000 * (now - seconds))), "__to": str(round(1000 * now))}
    return {**{variable.name: variable.name for variable in board.variables}, **times, **values}


def _choice(variable: Variable, values: Values, schema: Schema | None) -> tuple[Sequence[str], Sequence[str]]:
    """What is chosen, and out of what: by what is saved, and by the series where they can tell."""
    found, all_known = _options(variable, values, schema) if schema else ([], False)
    if not found or variable.kind != "query":
        return variable.current, variable.options
    if not all_known:
        return variable.current, variable.options if variable.current or variable.has_all else found
    outdated = variable.refreshed and not {ALL, *found} & set(variable.current)
    return [] if outdated else variable.current, found


def _options(variable: Variable, values: Values, schema: Schema) -> tuple[list[str], bool]:
    """The values that its query would find among the series that are known, and whether these are all."""
    asks = _LABEL_VALUES.fullmatch(promql.fill(variable.query, values))
    if not asks:
        return [], False
    found, all_known = set(), schema.origin == "environment" and bool(asks["selector"])
    for selector in asked([asks["selector"]]) if asks["selector"] else _each_metric(schema):
        metric = schema.metrics.get(selector.metric or "")
        chosen = selects(selector.matchers)
        series = metric.series if metric else ()
        found |= {one[asks["label"]] for one in series if asks["label"] in one and chosen(one)}
        all_known &= len(series) < MOST
    return _picked(sorted(found), variable.regex), all_known


def _each_metric(schema: Schema) -> list[Selector]:
    return [Selector(name, ()) for name in schema.metrics]


def _picked(options: list[str], regex: str) -> list[str]:
    """Those that the variable's own regular expression picks: its first group, or the whole."""
    if not regex:
        return options
    written = re.fullmatch(r"/(.*)/\w*", regex, re.DOTALL)
    try:
        pattern = re.compile(written[1] if written else f"^(?:{regex})$")
    except re.error:
        return []
    matches = [found for option in options if (found := pattern.search(option))]
    group = "value" if "value" in pattern.groupindex else min(pattern.groups, 1)
    return list(dict.fromkeys(found[group] for found in matches if found[group]))
