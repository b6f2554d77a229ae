"""The Grafana client against the lab's stand-in, and its reading of dashboards."""

import time
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from opsconsole import config
from opsconsole.checkkit import until
from opsconsole.clients.dashboards import parse
from opsconsole.clients.grafana import Grafana
from opsconsole.errors import Nonsense, Refused
from opsconsole.lab.grafana import DATASOURCE_UID
from opsconsole.lab.stack import LabState
from tests.clients.conftest import OpenDoor

WITHIN_SECONDS = 120.0
SETTINGS = config.Grafana(url="", dashboard="billing-metrics")


@pytest.fixture
def grafana(open_door: OpenDoor, lab: LabState) -> Grafana:
    door = open_door(lab.grafana_url, server="grafana", token=lab.grafana_token)
    return Grafana(door, SETTINGS, lambda *_: None)


def asked(ref_id: str, expr: str, **more: Any) -> dict[str, Any]:
    return {"refId": ref_id, "expr": expr, "datasource": {"uid": DATASOURCE_UID}, "range": True, **more}


async def test_the_dashboard_with_its_ten_panels(grafana: Grafana) -> None:
    assert (await grafana.health()).database == "ok"
    dashboard = await grafana.dashboard_model()
    assert dashboard is not None
    assert dashboard.uid == "billing-metrics"
    assert len([panel for panel in dashboard.panels if panel.queries]) == 10
    assert {query.datasource_uid for panel in dashboard.panels for query in panel.queries} == {DATASOURCE_UID}
    assert all(query.expr for panel in dashboard.panels for query in panel.queries)
    assert {variable.kind for variable in dashboard.variables} >= {"datasource", "query"}


async def test_what_is_not_there_is_none(grafana: Grafana) -> None:
    assert await grafana.dashboard_model("no-such-dashboard") is None
    assert await grafana.datasource("no-such-source") is None


async def test_data_sources_and_their_health(grafana: Grafana) -> None:
    source = await grafana.datasource(DATASOURCE_UID)
    assert source is not None
    assert source.type == "prometheus"
    assert source in await grafana.datasources()
    healthy, words = await grafana.datasource_health(DATASOURCE_UID)
    assert healthy, words
    gone = await grafana.datasource_health("no-such-source")
    assert gone == (False, "Grafana has none of this uid")


async def test_a_source_without_a_health_check_is_not_ill(
    open_door: OpenDoor, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/api/datasources/uid/p/health").respond_with_json(
        {"message": "Not found"}, 404
    )
    client = Grafana(open_door(httpserver.url_for("")), SETTINGS, lambda *_: None)
    assert await client.datasource_health("p") == (True, "it has no health check")


async def test_queries_of_a_panel_are_run_and_a_failed_one_says_why(grafana: Grafana) -> None:
    now = time.time()

    async def scraped() -> bool:
        return bool((await grafana.run([asked("A", "up")], now - 60, time.time()))["A"].numbers)

    assert await until(scraped, within_seconds=WITHIN_SECONDS, what="the first scrape")
    results = await grafana.run(
        [asked("A", "vector(5)"), asked("B", "no_such_metric"), asked("C", "vector(0)/0")], now - 60, now
    )
    assert results["A"].last == 5.0
    assert (results["B"].rows, results["B"].error) == (0, "")
    assert results["C"].numbers == 0
    assert results["C"].rows > 0
    broken = await grafana.run([asked("A", "up(")], now - 60, now)
    assert "parse error" in broken["A"].error


async def test_a_token_without_the_right_is_refused(open_door: OpenDoor, lab: LabState) -> None:
    reader = Grafana(open_door(lab.grafana_url, token=lab.grafana_reader_token), SETTINGS, lambda *_: None)
    assert await reader.dashboard_model() is not None
    with pytest.raises(Refused, match="not permitted"):
        await reader.run([asked("A", "up")], 0, 60)
    stranger = Grafana(open_door(lab.grafana_url, token="glsa_notatoken"), SETTINGS, lambda *_: None)
    with pytest.raises(Refused, match="not logged in"):
        await stranger.dashboard_model()


async def test_a_page_that_is_not_found_is_not_grafanas_word(
    open_door: OpenDoor, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/api/dashboards/uid/billing-metrics").respond_with_data("<html>", 404)
    client = Grafana(open_door(httpserver.url_for("")), SETTINGS, lambda *_: None)
    with pytest.raises(Nonsense, match="HTML"):
        await client.dashboard_model()


async def test_library_panels_and_the_default_source_are_looked_up(
    open_door: OpenDoor, httpserver: HTTPServer
) -> None:
    target = {"refId": "A", "expr": "up"}
    rows = [{"type": "row", "panels": [{"id": 2, "title": "L", "libraryPanel": {"uid": "lib", "name": "L"}}]}]
    library = {"result": {"model": {"type": "gauge", "title": "Own", "targets": [target]}}}
    sources = [{"uid": "p1", "name": "P", "type": "prometheus", "isDefault": True}]
    answers = {
        "/api/dashboards/uid/x": {"dashboard": {"uid": "x", "title": "X", "panels": rows}},
        "/api/library-elements/lib": library,
        "/api/datasources": sources,
    }
    for path, answer in answers.items():
        httpserver.expect_request(path).respond_with_json(answer)
    client = Grafana(open_door(httpserver.url_for("")), SETTINGS, lambda *_: None)
    dashboard = await client.dashboard_model("x")
    assert dashboard is not None
    (panel,) = dashboard.panels
    assert (panel.title, panel.kind) == ("L", "gauge")
    assert [(query.expr, query.datasource_uid) for query in panel.queries] == [("up", "p1")]


async def test_infinity_is_no_number_to_show(open_door: OpenDoor, httpserver: HTTPServer) -> None:
    frame = {
        "schema": {"fields": [{"name": "Time", "type": "time"}, {"name": "Value", "type": "number"}]},
        "data": {"values": [[1, 2, 3], [4.5, None, None]], "entities": [None, {"NaN": [1], "Inf": [2]}]},
    }
    answer = {"results": {"A": {"status": 200, "frames": [frame]}, "B": {"status": 500, "error": "broke"}}}
    httpserver.expect_request("/api/ds/query").respond_with_json(answer, status=207)
    client = Grafana(open_door(httpserver.url_for("")), SETTINGS, lambda *_: None)
    results = await client.run([asked("A", "a"), asked("B", "b"), asked("C", "c")], 0, 60)
    assert (results["A"].rows, results["A"].numbers, results["A"].last) == (3, 1, 4.5)
    assert results["B"].error == "broke"
    assert results["C"].error


def test_old_rows_hidden_queries_and_variables() -> None:
    model = {
        "rows": [{"panels": [{"id": 1, "type": "graph", "datasource": "$ds", "targets": [
            {"refId": "A", "expr": "up", "instant": True}, {"refId": "B", "expr": "no", "hide": True}]}]}],
        "templating": {"list": [
            {"name": "ds", "type": "datasource", "query": "prometheus", "current": {"value": "p9"}},
            {"name": "plan", "type": "query", "query": {"query": "label_values(plan)", "refId": "x"},
             "current": {"value": ["$__all"]}, "options": [{"value": "$__all"}, {"value": "pro"}]}]},
    }  # fmt: skip
    dashboard = parse(model, {}, "grafana")
    (query,) = dashboard.panels[0].queries
    assert (query.expr, query.instant, query.datasource_uid) == ("up", True, "p9")
    plan = dashboard.variables[1]
    assert (plan.query, plan.current, plan.options) == ("label_values(plan)", ["$__all"], ["$__all", "pro"])
