"""Dashboards in Grafana's second schema (`elements` and a `layout`), told in the first."""

from typing import Any

_KINDS = {
    "QueryVariable": "query",
    "CustomVariable": "custom",
    "ConstantVariable": "constant",
    "DatasourceVariable": "datasource",
    "IntervalVariable": "interval",
    "TextVariable": "textbox",
    "AdhocVariable": "adhoc",
}


def classic(model: dict[str, Any]) -> dict[str, Any]:
    """The dashboard's `spec` as its classic model: panels, variables, the time that it shows."""
    elements = model["elements"].values()
    settings = _dict(model.get("timeSettings"))
    return {
        "title": model.get("title"),
        "time": {"from": settings.get("from"), "to": settings.get("to")},
        "panels": [_panel(one["spec"]) for one in elements if isinstance(_dict(one).get("spec"), dict)],
        "templating": {"list": [_variable(_dict(one)) for one in _list(model.get("variables"))]},
    }


def _panel(spec: dict[str, Any]) -> dict[str, Any]:
    data = _dict(_dict(spec.get("data")).get("spec"))
    options = _dict(data.get("queryOptions"))
    return {
        "id": spec.get("id"),
        "title": spec.get("title"),
        "interval": options.get("interval") or options.get("minInterval"),
        "targets": [_target(_dict(_dict(one).get("spec"))) for one in _list(data.get("queries"))],
    }


def _target(spec: dict[str, Any]) -> dict[str, Any]:
    """A query: its source is named beside it (v2alpha1) or within it (v2beta1)."""
    query = _dict(spec.get("query"))
    kind = query.get("group") or query.get("kind")
    named = _dict(query.get("datasource")).get("name") or _dict(spec.get("datasource")).get("uid")
    return {
        **_dict(query.get("spec")),
        "refId": spec.get("refId"),
        "hide": spec.get("hidden"),
        "datasource": {"type": kind, "uid": named},
    }


def _variable(variable: dict[str, Any]) -> dict[str, Any]:
    spec = _dict(variable.get("spec"))
    query = spec.get("query")
    inner = _dict(_dict(query).get("spec"))
    refresh = {"onDashboardLoad": 1, "onTimeRangeChanged": 2}
    return {
        **spec,
        "type": _KINDS.get(str(variable.get("kind")), "other"),
        "query": spec.get("pluginId")
        or (inner.get("query") or inner.get("__legacyStringValue") if inner else query),
        "refresh": refresh.get(str(spec.get("refresh")), 0),
        "datasource": None,
    }


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
