"""What a panel shows, in lines that can be compared: what changes the data that a person sees, and not how it
looks (colours, legends, places, ids) or what an import fills in (data sources' uids)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opsconsole import promql
from opsconsole.clients.dashboards import Panel, library_uid

Content = dict[str, list[str] | None]
"""By aspect; None where the panel does not tell."""

_REPLACED_BY_GRAFANA = (
    "grafana-piechart-panel", "grafana-worldmap-panel", "graph", "heatmap-new", "singlestat", "table-old",
)  # fmt: skip
_OF_THE_PLUGIN = ("kind of panel", "transformations", "calculation", "words for values", "overrides")
_TEXTS = (
    "expression", "type", "reducer", "conditions", "settings", "panelId",
    "query", "rawSql", "rawQuery", "target",
)  # fmt: skip
"""Where queries that have no `expr` keep what they ask: Grafana's own expressions, SQL, Graphite, ..."""
_IDLE = {"datasource", "editorMode", "hide", "key", "legendFormat", "refId"}
_OVERRIDES = ("unit", "noValue", "mappings", "custom.hideFrom", "custom.transform")
_LOOKS = ("color", "icon", "index")


def content(panel: Panel) -> Content:
    """What the panel shows, by aspect: the words name it after "differs in its"."""
    raw = panel.raw
    fields = _table(raw.get("fieldConfig"))
    defaults = _table(fields.get("defaults"))
    return {
        "kind of panel": [panel.kind],
        "queries": [line for target in _asked(panel) for line in _query(target, raw)],
        "type of data source": _source_types(panel),
        "time": [f"{key}: {raw[key]}" for key in ("timeFrom", "timeShift") if raw.get(key)],
        "transformations": list(_transformations(raw)),
        "calculation": _calculation(raw),
        "unit": _named("unit", _unit(raw, defaults)),
        "words for values": _words(defaults),
        "overrides": list(_overrides(fields)),
        "repetition": _named("repeated for", raw.get("repeat")),
    }


def differing(meant: Panel, shown: Panel) -> list[str]:
    """The aspects in which two panels differ; none where the model of the first is not at hand. Where Grafana
    has put a plugin in the place of an old one, the aspects that it brings along are not compared."""
    if library_uid(meant.raw):
        return []
    before, after = content(meant), content(shown)
    new_plugin = meant.kind in _REPLACED_BY_GRAFANA and shown.kind != meant.kind
    return [
        aspect
        for aspect in before
        if not (new_plugin and aspect in _OF_THE_PLUGIN)
        and None not in (before[aspect], after[aspect])
        and before[aspect] != after[aspect]
    ]


def lines(panel: Panel) -> list[str]:
    """All that `content` has, and the queries that are hidden."""
    hidden = [target for target in _targets(panel.raw) if target.get("hide")]
    told = [line for each in content(panel).values() for line in each or ()]
    return [*told, *(f"hidden {' '.join(_query(target, panel.raw))}" for target in hidden)]


def asks(panel: Panel) -> bool:
    """Whether it has a query, or stands for a library panel that is not at hand."""
    return bool(_targets(panel.raw) or library_uid(panel.raw))


def unread(panel: Panel) -> bool:
    """Whether it has a query of a kind whose words are not known here."""
    return any(not _query(target, panel.raw) for target in _asked(panel))


def _asked(panel: Panel) -> list[dict[str, Any]]:
    """The queries in the order of their letters; hidden ones where an expression may take them up."""
    targets = _targets(panel.raw)
    taken_up = any(query.datasource_uid == "__expr__" for query in panel.queries)
    asked = [target for target in targets if taken_up or not target.get("hide")]
    return sorted(asked, key=lambda target: str(target.get("refId") or "A"))


def _targets(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        target
        for target in raw.get("targets") or ()
        if set(target) - _IDLE and (target.get("expr") != "" or any(target.get(key) for key in _TEXTS))
    ]


def _query(target: Mapping[str, Any], raw: Mapping[str, Any]) -> list[str]:
    """One query, headed by how it is asked; empty where it is not known where it is written."""
    if expr := target.get("expr"):
        ways = ["query", _mode(target), *_format(target)]
        if step := target.get("interval") or raw.get("interval"):
            ways.append(f"step {step}")
        return [f"{', '.join(ways)}:", *promql.pretty_template(str(expr)).splitlines()]
    return [f"query, {key}: {_text(target[key])}" for key in _TEXTS if target.get(key)]


def _mode(target: Mapping[str, Any]) -> str:
    if target.get("instant") is not True:
        return "range"
    return "instant and range" if target.get("range") is True else "instant"


def _format(target: Mapping[str, Any]) -> Iterator[str]:
    if (form := target.get("format") or "time_series") != "time_series":
        yield f"as {form}"


def _source_types(panel: Panel) -> list[str] | None:
    types = {query.datasource_type for query in panel.queries}
    return None if "" in types else sorted(f"data source: {each}" for each in types)


def _transformations(raw: Mapping[str, Any]) -> Iterator[str]:
    for one in _tables(raw.get("transformations")):
        if not one.get("disabled"):
            yield f"transformation: {_text({key: value for key, value in one.items() if key != 'disabled'})}"


def _calculation(raw: Mapping[str, Any]) -> list[str]:
    reduced = _table(_table(raw.get("options")).get("reduceOptions"))
    calculations = ", ".join(map(str, reduced.get("calcs") or ()))
    return [
        *_named("calculation", "" if calculations == "lastNotNull" else calculations),
        *_named("of every row", reduced.get("values")),
        *_named("of the fields", reduced.get("fields")),
    ]


def _unit(raw: Mapping[str, Any], defaults: Mapping[str, Any]) -> Any:
    """As it is today, or as the panels before Grafana 7 keep it."""
    axis = next(iter(_tables(raw.get("yaxes"))), {})
    unit = defaults.get("unit") or axis.get("format") or raw.get("format")
    return "" if unit in ("none", "short") else unit


def _words(defaults: Mapping[str, Any]) -> list[str] | None:
    mappings = _tables(defaults.get("mappings"))
    if any("options" not in one for one in mappings):  # of before Grafana 8, which turns them into others
        return None
    told = [f"value mapping: {_text(_without_looks(one))}" for one in mappings]
    return [*told, *_named("in the place of no value", defaults.get("noValue"))]


def _overrides(fields: Mapping[str, Any]) -> Iterator[str]:
    for one in _tables(fields.get("overrides")):
        for put in _tables(one.get("properties")):
            id, value = put.get("id"), _without_looks(put.get("value"))
            seen = id == "custom.hideFrom" and not _table(value).get("viz")
            if id in _OVERRIDES and not seen:
                yield f"of the fields {_text(one.get('matcher'))}, {id}: {_text(value)}"


def _without_looks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_looks(inner) for key, inner in value.items() if key not in _LOOKS}
    return [_without_looks(inner) for inner in value] if isinstance(value, list) else value


def _named(name: str, value: Any) -> list[str]:
    return [f"{name}: {value}"] if value else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _tables(value: Iterable[Any] | None) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
