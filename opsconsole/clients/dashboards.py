"""Grafana's dashboard JSON: panels, their queries, variables."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from opsconsole.errors import Nonsense

_NAME = re.compile(r"\$(?:(\w+)|\{(\w+)(?::\w+)?\})")
_ONE_OF = {"=|": "=~", "!=|": "!~"}
_BUILT_IN = ("__expr__", "-- Dashboard --", "-- Grafana --", "grafana")
_DEFAULTS = ("", "default", "-- Default --")


class DataSource(msgspec.Struct, frozen=True):
    """`type` is the plugin's id, such as "prometheus"; `url` may be empty where we may not see it.
    `scrape_interval` is what a Prometheus source is told of it, such as "30s", empty for the default."""

    uid: str
    name: str
    type: str
    url: str
    is_default: bool
    scrape_interval: str = ""


class PanelQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One query of a panel; `raw` is the target as saved, `datasource_uid` its own or its panel's source,
    empty for the default, `datasource_type` that source's plugin where the dashboard names it; `instant` asks
    for one moment instead of a range; `min_step` is the least of `$__interval` as written, often empty."""

    ref_id: str
    expr: str
    raw: dict[str, Any]
    instant: bool
    datasource_uid: str
    datasource_type: str = ""
    min_step: str = ""

    @property
    def source_unfilled(self) -> bool:
        """Whether its source is a variable or an input that nothing was ever filled into."""
        return _NAME.fullmatch(self.datasource_uid) is not None

    @property
    def has_own_source(self) -> bool:
        """Whether it asks Grafana itself: other queries' results, another panel's, its own annotations."""
        return self.datasource_uid in _BUILT_IN


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One panel; `kind` is its plugin, such as timeseries, gauge, piechart, text. Rows are no panels.
    `queries` are without the hidden ones, which are counted in `hidden`. `raw` is its JSON, with the model of
    the library panel that it stands for, where that is known."""

    id: int
    title: str
    kind: str
    datasource_uid: str
    queries: list[PanelQuery]
    hidden: int = 0
    raw: dict[str, Any] = {}


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A template variable: `kind` is query, custom, datasource, interval, ...; `current` and `options` are
    values (`$__all` stands for all), `all_value` what is put in for all where the dashboard says so.

    `has_all`: All is its first option. `several`: more than one value may be chosen, so that each is put in
    as a regular expression. `refreshed`: Grafana asks for the options anew, and takes the first where the
    current value is none of them. `regex` picks the options out of what the query gives. `filters` are those
    of an ad hoc variable: label, operator of PromQL, value. `steps` and `least` are what the `auto` of an
    interval is made of.
    """

    name: str
    kind: str
    query: str
    current: list[str]
    options: list[str]
    datasource: str
    all_value: str
    has_all: bool = False
    several: bool = False
    refreshed: bool = False
    regex: str = ""
    filters: list[tuple[str, str, str]] = []
    steps: int = 30
    least: str = "10s"


class Dashboard(msgspec.Struct, frozen=True, kw_only=True):
    """A dashboard as saved; `version` counts its saves, `raw` is its whole JSON."""

    uid: str
    title: str
    version: int
    panels: list[Panel]
    variables: list[Variable]
    raw: dict[str, Any]

    @property
    def uses_default_source(self) -> bool:
        """Whether some query goes to Grafana's default data source."""
        return any(not query.datasource_uid for panel in self.panels for query in panel.queries)

    @property
    def fixed_end(self) -> float | None:
        """When the time ends that it always opens with, unix seconds; None where that goes by the clock."""
        end = _shown((self.raw.get("time") or {}).get("to")) or "now"
        if end.isdigit():
            return int(end) / 1000
        with suppress(ValueError):
            moment = datetime.fromisoformat(end)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        return None

    def with_default_source(self, uid: str) -> "Dashboard":
        """The same with the default data source named."""
        panels = [
            replace(
                panel,
                datasource_uid=panel.datasource_uid or uid,
                queries=[
                    replace(query, datasource_uid=query.datasource_uid or uid) for query in panel.queries
                ],
            )
            for panel in self.panels
        ]
        return replace(self, panels=panels)


def parse(
    model: dict[str, Any],
    library: Mapping[str, Mapping[str, Any]],
    where: str,
    known: Sequence[DataSource] = (),
) -> Dashboard:
    """Read a dashboard's JSON; `library` has the models of its library panels by uid, `known` are the data
    sources that its Grafana has, as far as we may see them. Raises Nonsense."""
    try:
        variables = [_variable(one) for one in _list(_dict(model.get("templating")).get("list"))]
        sources = _Sources(variables, _list(model.get("__inputs")), known)
        return Dashboard(
            uid=_text(model.get("uid")),
            title=_text(model.get("title")),
            version=_number(model.get("version")),
            panels=[_panel(one, sources) for one in _panels(model, library)],
            variables=variables,
            raw=model,
        )
    except (TypeError, RecursionError) as error:
        raise Nonsense(f"answered a dashboard that cannot be read: {error}", where=where) from None


class _Sources:
    """The data sources that a dashboard names by a variable, or by an input that its import asks for."""

    def __init__(
        self, variables: list[Variable], inputs: list[dict[str, Any]], known: Sequence[DataSource] = ()
    ) -> None:
        named = [variable for variable in variables if variable.kind == "datasource"]
        self._by_name = {source.name: source.uid for source in known}
        self._uids = {variable.name: _picked(variable, known) for variable in named}
        self._types = {variable.name: variable.query for variable in named} | {
            _text(one.get("name")): _text(one.get("pluginId")) for one in inputs
        }

    def uid(self, source: Any) -> str:
        """A data source's uid from its reference (old ones are a bare name), empty for the default."""
        uid = _text(source.get("uid")) if isinstance(source, dict) else _text(source)
        if found := _NAME.fullmatch(uid):
            uid = self._uids.get(found[1] or found[2], uid)
        return "" if uid in _DEFAULTS else self._by_name.get(uid, uid)

    def type(self, source: Any) -> str:
        """Its plugin, empty where the dashboard does not tell."""
        if isinstance(source, dict) and source.get("type"):
            return _text(source["type"])
        uid = _text(source.get("uid")) if isinstance(source, dict) else _text(source)
        found = _NAME.fullmatch(uid)
        return self._types.get(found[1] or found[2], "") if found else ""


def _picked(variable: Variable, known: Sequence[DataSource]) -> str:
    """The data source that Grafana takes for a variable: the saved one (older ones save its name), and where
    there is none such the default or the first of this kind."""
    saved = variable.current[0] if variable.current else ""
    kind = [source for source in known if source.type == variable.query]
    if saved in _DEFAULTS or variable.regex or not kind or any(saved in (one.uid, one.name) for one in kind):
        return saved
    return next((one for one in kind if one.is_default), kind[0]).uid


def library_uid(panel: Mapping[str, Any]) -> str:
    """The uid of the library panel that this one stands for; empty where its model is here already."""
    reference = panel.get("libraryPanel")
    uid = reference.get("uid") if isinstance(reference, dict) and not panel.get("targets") else None
    return uid if isinstance(uid, str) else ""


def library_of(model: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The models of the library panels that an export brings along, by uid."""
    elements = model.get("__elements") or {}
    listed = elements.values() if isinstance(elements, dict) else elements
    return {
        str(one.get("uid")): one["model"]
        for one in listed
        if isinstance(one, dict) and isinstance(one.get("model"), dict)
    }


def _panels(model: Mapping[str, Any], library: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """All panels in order: those in collapsed rows, and in the `rows` of dashboards before Grafana 5."""
    for row in _list(model.get("rows")):
        yield from _panels(row, library)
    for panel in _list(model.get("panels")):
        if panel.get("type") == "row":
            yield from _panels(panel, library)
        else:
            yield {**library.get(library_uid(panel), {}), **panel} if library_uid(panel) else panel


def _panel(panel: dict[str, Any], sources: _Sources) -> Panel:
    targets = _list(panel.get("targets"))
    shown = [target for target in targets if not target.get("hide")]
    return Panel(
        id=_number(panel.get("id")),
        title=_text(panel.get("title")),
        kind=_text(panel.get("type")),
        datasource_uid=sources.uid(panel.get("datasource")),
        queries=[_query(one, panel, sources) for one in shown],
        hidden=len(targets) - len(shown),
        raw=panel,
    )


def _query(target: dict[str, Any], panel: dict[str, Any], sources: _Sources) -> PanelQuery:
    source = target.get("datasource") or panel.get("datasource")
    return PanelQuery(
        ref_id=_text(target.get("refId")) or "A",
        expr=_text(target.get("expr")),
        raw=target,
        instant=target.get("instant") is True,
        datasource_uid=sources.uid(source),
        datasource_type=sources.type(source),
        min_step=_shown(target.get("interval")) or _shown(panel.get("interval")),
    )


def _variable(variable: dict[str, Any]) -> Variable:
    query = variable.get("query")
    refresh = variable.get("refresh")
    return Variable(
        name=_text(variable.get("name")),
        kind=_text(variable.get("type")),
        query=_text(query.get("query")) if isinstance(query, dict) else _text(query),
        current=_values(_dict(variable.get("current")).get("value")),
        options=[value for one in _list(variable.get("options")) for value in _values(one.get("value"))],
        datasource=_NO_SOURCES.uid(variable.get("datasource")),
        all_value=_text(variable.get("allValue")),
        has_all=bool(variable.get("includeAll")),
        several=bool(variable.get("multi") or variable.get("includeAll")),
        refreshed=refresh is True or refresh in (1, 2),
        regex=_text(variable.get("regex")),
        filters=list(_filters(variable)),
        steps=_number(variable.get("auto_count")) or 30,
        least=_shown(variable.get("auto_min")) or "10s",
    )


def _filters(variable: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for one in (*_list(variable.get("baseFilters")), *_list(variable.get("filters"))):
        operator = _text(one.get("operator"))
        values = _values(one.get("values") if operator in _ONE_OF else one.get("value"))
        if (matcher := _ONE_OF.get(operator, operator)) in ("=", "!=", "=~", "!~"):
            yield _text(one.get("key")), matcher, "|".join(values)


def _values(value: Any) -> list[str]:
    return [_shown(one) for one in value] if isinstance(value, list) else [_shown(value)] if value else []


def _shown(value: Any) -> str:
    """A text that some write as a number."""
    return json.dumps(value) if isinstance(value, bool | int | float) else _text(value)


def _dict(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise TypeError(f"{type(value).__name__} where an object was expected")


def _list(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return value
    raise TypeError(f"{type(value).__name__} where a list of objects was expected")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise TypeError(f"{type(value).__name__} where a text was expected")


def _number(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if value is None:
        return 0
    raise TypeError(f"{type(value).__name__} where a number was expected")


_NO_SOURCES = _Sources([], [])
