"""A panel's queries, filled in as Grafana would."""

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from opsconsole.clients.dashboards import Dashboard, DataSource, parse
from opsconsole.clients.grafana import Grafana
from opsconsole.clients.panels import chosen, fill, run_panels, span_seconds
from opsconsole.config import Grafana as Settings
from opsconsole.errors import Nonsense
from opsconsole.promql import Matcher, Value, with_matchers
from opsconsole.promql import fill as fill_text
from tests.clients.conftest import OpenDoor

CHOSEN: dict[str, Value] = {"one": ("a.b",), "two": ("a.b", "c\\d"), "text": "a.b"}


def board(*variables: dict[str, Any], **more: Any) -> Dashboard:
    return parse({"templating": {"list": list(variables)}, **more}, {}, "test")


def filled(expr: str, *variables: dict[str, Any], target: dict[str, Any] | None = None, **more: Any) -> str:
    dashboard = board(*variables, panels=[{"targets": [{"expr": expr, **(target or {})}]}], **more)
    return fill(dashboard, dashboard.panels[0].queries[0], chosen(dashboard))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$text", "a.b"),
        ("$one", r"a\\.b"),
        ("$two", r"(a\\.b|c\\\\d)"),
        ("${two:regex}", r"(a\.b|c\\d)"),
        ("${two:csv} ${one:csv} ${text:csv}", r"a.b,c\d a.b a.b"),
        ("${two:pipe}", r"a.b|c\d"),
        ("${two:doublequote}", r'"a.b","c\d"'),
        ("${one:json} ${text:json}", '["a.b"] "a.b"'),
        ("${missing:csv}", "${missing:csv}"),
    ],
)
def test_several_values_in_each_format(text: str, expected: str) -> None:
    assert fill_text(text, CHOSEN) == expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        pytest.param({"type": "query", "current": {"value": "a.b"}}, "a.b", id="single"),
        pytest.param(
            {"type": "query", "multi": True, "current": {"value": "a"}}, ("a",), id="one-of-several"
        ),
        pytest.param({"type": "query", "current": {"value": ["$__all"]}}, ".*", id="all-unknown"),
        pytest.param(
            {"type": "query", "current": {"value": "$__all"}, "allValue": "x.+$first"}, "x.+1", id="all-value"
        ),
        pytest.param(
            {"type": "custom", "includeAll": True, "query": "a,b\\,c, n : d", "current": {"value": "$__all"}},
            ("a", "b,c", "d"),
            id="all-of-custom",
        ),
        pytest.param({"type": "custom", "query": "a,b"}, "a", id="first-of-custom"),
        pytest.param({"type": "custom", "options": [{"value": 5}], "current": {}}, "5", id="number"),
        pytest.param({"type": "constant", "query": "c"}, "c", id="constant"),
        pytest.param({"type": "textbox", "query": ""}, "", id="textbox"),
        pytest.param({"type": "interval", "query": "1m,10m"}, "1m", id="interval"),
        pytest.param(
            {"type": "interval", "current": {"value": "$__auto_interval_x"}, "auto_count": 10},
            "360s",
            id="auto",
        ),
        pytest.param({"type": "query", "query": "label_values(job)"}, None, id="query-without-a-value"),
    ],
)
def test_what_a_variable_stands_for(variable: dict[str, Any], value: Value | None) -> None:
    first = {"name": "first", "type": "constant", "query": "1"}
    dashboard = board(first, {"name": "x", **variable}, time={"from": "now-1h"})
    assert chosen(dashboard).get("x") == value


def test_time_variables_go_by_the_least_step_of_the_query() -> None:
    assert filled("rate(a[$__rate_interval])") == "rate(a[60s])"
    assert filled("rate(a[$__rate_interval])", target={"interval": "1m"}) == "rate(a[240s])"
    assert filled("a[$i]", {"name": "i", "type": "custom", "query": "$__rate_interval"}) == "a[60s]"
    assert filled("a[$__range]", time={"from": "now-2d"}) == "a[172800s]"
    assert span_seconds(board()) == 6 * 3600


def test_ad_hoc_filters_join_every_selector() -> None:
    filters = [
        {"key": "env", "operator": "=", "value": 'p"'},
        {"key": "zone", "operator": "=|", "values": ["a", "b"]},
        {"key": "odd", "operator": "<", "value": "1"},
    ]
    adhoc = {"name": "Filters", "type": "adhoc", "filters": filters}
    expr = 'rate(a{b="}"}[5m] offset 1m) / c'
    added = 'env="p\\"",zone=~"a|b"'
    assert filled(expr, adhoc) == f'rate(a{{b="}}",{added}}}[5m] offset 1m) / c{{{added}}}'
    assert filled("broken(", adhoc) == "broken("


def test_matchers_are_added_to_promql_alone() -> None:
    with pytest.raises(Nonsense):
        with_matchers("a{", [Matcher("b", "=", "c")])


PROMETHEUS = DataSource("p1", "Main", "prometheus", "", is_default=False)
DEFAULT = DataSource("p2", "Other", "prometheus", "", is_default=True)
LOGS = DataSource("l1", "Logs", "loki", "", is_default=False)


@pytest.mark.parametrize(
    ("saved", "known", "uid"),
    [
        pytest.param({"value": "p1"}, [PROMETHEUS, DEFAULT], "p1", id="by uid"),
        pytest.param({"value": "Main"}, [PROMETHEUS, DEFAULT], "p1", id="by name"),
        pytest.param({"value": "elsewhere"}, [PROMETHEUS, DEFAULT], "p2", id="the default for one unknown"),
        pytest.param({"value": "elsewhere"}, [LOGS, PROMETHEUS], "p1", id="the first of the kind"),
        pytest.param({"value": "elsewhere"}, [LOGS], "elsewhere", id="none of the kind"),
        pytest.param({"value": "elsewhere"}, [], "elsewhere", id="none visible"),
        pytest.param({}, [], "", id="nothing saved"),
    ],
)
def test_the_data_source_of_a_variable(saved: dict[str, str], known: list[DataSource], uid: str) -> None:
    variable = {"name": "ds", "type": "datasource", "query": "prometheus", "current": saved}
    model = {
        "templating": {"list": [variable]},
        "panels": [
            {"targets": [{"expr": "a", "datasource": "${ds}"}, {"expr": "a", "datasource": "${DS_X}"}]}
        ],
    }
    filled_in, input = parse(model, {}, "test", known).panels[0].queries
    assert (filled_in.datasource_uid, filled_in.source_unfilled) == (uid, False)
    assert (input.datasource_uid, input.source_unfilled) == ("${DS_X}", True)


@pytest.mark.parametrize(
    ("end", "seconds"),
    [
        ("now", None),
        ("now-5m", None),
        (None, None),
        ("1706817600000", 1706817600.0),
        (1706817600000, 1706817600.0),
        ("2024-02-01T20:00:00.000Z", 1706817600.0),
        ("2024-02-01 20:00:00", 1706817600.0),
    ],
    ids=str,
)
def test_a_time_that_does_not_move(end: object, seconds: float | None) -> None:
    assert board(time={"from": "now-1h", "to": end}).fixed_end == seconds


async def test_a_source_that_is_gone_fails_its_own_panels_alone(
    open_door: OpenDoor, httpserver: HTTPServer
) -> None:
    def answer(request: Request) -> Response:
        queries = json.loads(request.data)["queries"]
        if any(query["datasource"]["uid"] == "gone" for query in queries):
            return Response(json.dumps({"message": "Data source not found"}), 404)
        frame = {"schema": {"fields": [{"type": "number"}]}, "data": {"values": [[1.0]]}}
        return Response(json.dumps({"results": {query["refId"]: {"frames": [frame]} for query in queries}}))

    httpserver.expect_request("/api/ds/query").respond_with_handler(answer)
    grafana = Grafana(open_door(httpserver.url_for("")), Settings(url="", dashboard="x"), lambda *_: None)
    panels = [
        {"id": number, "title": uid, "targets": [{"expr": "a", "datasource": {"uid": uid}}]}
        for number, uid in enumerate(["p1", "gone", "${DS_X}", "__expr__"])
    ]
    runs = await run_panels(grafana, board(panels=panels), 0.0)
    assert [(run.title, run.values, run.error) for run in runs] == [
        ("p1", 1, ""),
        ("gone", 0, "Grafana has no data source gone"),
        ("${DS_X}", 0, "the data source ${DS_X} was never filled in"),
    ]


def test_the_type_of_a_query_s_source() -> None:
    targets = [{"expr": "a"}, {"expr": "b", "datasource": {"type": "loki", "uid": "l"}}]
    dashboard = board(
        {"name": "ds", "type": "datasource", "query": "prometheus", "current": {}},
        __inputs=[{"name": "DS_LOGS", "pluginId": "loki", "type": "datasource"}],
        panels=[
            {"datasource": "$ds", "targets": targets},
            {"datasource": {"uid": "${DS_LOGS}"}, "targets": targets[:1]},
            {"datasource": "Some name", "targets": targets[:1]},
        ],
    )
    types = [[query.datasource_type for query in panel.queries] for panel in dashboard.panels]
    assert types == [["prometheus", "loki"], ["loki"], [""]]
