"""The Grafana stand-in: Grafana's statuses and shapes, with the data of the real Prometheus."""

import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from opsconsole.lab.grafana import DATASOURCE_UID, QUERY, READ, WRITE, StandIn
from opsconsole.lab.grafana_query import Unavailable, get_json, times_of
from opsconsole.lab.stack import component
from opsconsole.lab.state import LabState
from tests.lab.conftest import served
from tests.standins.raw import raw_server

TOKEN = {"Authorization": "Bearer all"}
READER = {"Authorization": "Bearer reader"}
BOARD = "/api/dashboards/uid/billing-metrics"


def stand_in(prometheus_url: str) -> StandIn:
    tokens = {
        "all": (*READ, *WRITE, *QUERY),
        "reader": READ,
    }
    return StandIn(prometheus_url, json.loads(component("billing_dashboard.json")), tokens)


@pytest.fixture
async def grafana(lab: LabState) -> AsyncIterator[httpx.AsyncClient]:
    async with served(stand_in(lab.prometheus_url).routes()) as client:
        yield client


@pytest.fixture
async def blind() -> AsyncIterator[httpx.AsyncClient]:
    """A stand-in whose Prometheus is not there."""
    async with served(stand_in("http://127.0.0.1:9").routes()) as client:
        yield client


async def query(http: httpx.AsyncClient, *queries: dict[str, Any], **also: str) -> httpx.Response:
    full = [{"refId": "A", "datasource": {"uid": DATASOURCE_UID}, **one} for one in queries]
    body = {"queries": full, "from": "now-1h", "to": "now", **also}
    return await http.post("/api/ds/query", json=body, headers=TOKEN)


async def test_health_needs_no_token_and_calls_itself_a_stand_in(blind: httpx.AsyncClient) -> None:
    health = (await blind.get("/api/health")).json()
    assert health["database"] == "ok"
    assert "stand-in" in health["version"]


async def test_tokens_are_asked_for_and_their_rights(blind: httpx.AsyncClient) -> None:
    missing = await blind.get(BOARD)
    assert (missing.status_code, missing.json()["message"]) == (401, "Unauthorized")
    wrong = await blind.get(BOARD, headers={"Authorization": "Bearer x"})
    assert (wrong.status_code, wrong.json()["messageId"]) == (401, "api-key.invalid")
    assert (await blind.get(BOARD, headers=READER)).status_code == 200
    denied = await blind.post("/api/ds/query", json={"queries": []}, headers=READER)
    assert denied.status_code == 403
    assert "Permissions needed: datasources:query" in denied.json()["message"]
    assert (await blind.post("/api/dashboards/db", json={}, headers=READER)).status_code == 403


async def test_dashboards_are_found_by_uid_and_search(blind: httpx.AsyncClient) -> None:
    board = (await blind.get(BOARD, headers=TOKEN)).json()
    assert len(board["dashboard"]["panels"]) == 10
    assert board["meta"]["url"] == "/d/billing-metrics/rsolv-billing-metrics"
    unknown = await blind.get("/api/dashboards/uid/nothing", headers=TOKEN)
    assert (unknown.status_code, unknown.json()["message"]) == (404, "Dashboard not found")
    hits = (await blind.get("/api/search", params={"query": "billing"}, headers=TOKEN)).json()
    assert [(hit["uid"], hit["type"]) for hit in hits] == [("billing-metrics", "dash-db")]


async def test_a_dashboard_is_saved_and_an_old_version_refused(blind: httpx.AsyncClient) -> None:
    board = {"uid": "new", "title": "New one", "version": 0}
    saved = await blind.post("/api/dashboards/db", json={"dashboard": board}, headers=TOKEN)
    assert (saved.status_code, saved.json()["status"], saved.json()["version"]) == (200, "success", 1)
    stale = await blind.post("/api/dashboards/db", json={"dashboard": board}, headers=TOKEN)
    assert (stale.status_code, stale.json()["status"]) == (412, "version-mismatch")
    wish = {"dashboard": board, "overwrite": True}
    assert (await blind.post("/api/dashboards/db", json=wish, headers=TOKEN)).json()["version"] == 2
    assert (await blind.post("/api/dashboards/db", json={"dashboard": {}}, headers=TOKEN)).status_code == 400


async def test_what_is_deleted_is_not_found(blind: httpx.AsyncClient) -> None:
    source = f"/api/datasources/uid/{DATASOURCE_UID}"
    for path, words in ((BOARD, "Dashboard not found"), (source, "Data source not found")):
        assert (await blind.delete(path, headers=READER)).status_code == 403
        assert (await blind.delete(path, headers=TOKEN)).status_code == 200
        for again in (await blind.delete(path, headers=TOKEN), await blind.get(path, headers=TOKEN)):
            assert (again.status_code, again.json()["message"]) == (404, words)
    answer = await query(blind, {"expr": "up"})
    assert (answer.status_code, answer.json()["message"]) == (404, "Data source not found")


async def test_a_data_source_is_changed(blind: httpx.AsyncClient, lab: LabState) -> None:
    path = f"/api/datasources/uid/{DATASOURCE_UID}"
    wish = {**(await blind.get(path, headers=TOKEN)).json(), "url": lab.prometheus_url}
    assert (await blind.put(path, json=wish, headers=TOKEN)).json()["datasource"]["url"] == wish["url"]
    assert (await query(blind, {"expr": "up"})).status_code == 200
    assert (await blind.put(path, json={"url": "x"}, headers=TOKEN)).status_code == 400


async def test_the_data_source_is_the_real_prometheus(grafana: httpx.AsyncClient, lab: LabState) -> None:
    path = f"/api/datasources/uid/{DATASOURCE_UID}"
    assert (await grafana.get(path, headers=TOKEN)).json()["url"] == lab.prometheus_url
    assert len((await grafana.get("/api/datasources", headers=TOKEN)).json()) == 1
    assert (await grafana.get(f"{path}/health", headers=TOKEN)).json()["status"] == "OK"
    assert (await grafana.get("/api/datasources/uid/other", headers=TOKEN)).status_code == 404


async def test_a_range_query_is_a_frame_for_each_series(grafana: httpx.AsyncClient) -> None:
    expression = "sum by (plan) (rsolv_billing_usage_tracked_total)"
    one = {"expr": expression, "range": True, "legendFormat": "plan {{plan}}", "intervalMs": 60_000}
    answer = await query(grafana, one, **{"from": "now-24h"})
    frames = answer.json()["results"]["A"]["frames"]
    assert answer.status_code == 200
    times, values = frames[0]["schema"]["fields"]
    assert (times["type"], values["type"]) == ("time", "number")
    assert {frame["schema"]["fields"][1]["config"]["displayNameFromDS"] for frame in frames} == {
        "plan trial", "plan pro", "plan teams",
    }  # fmt: skip
    moments, numbers = frames[0]["data"]["values"]
    assert len(moments) == len(numbers) > 1000
    assert {later - sooner for sooner, later in itertools.pairwise(moments)} == {60_000}


async def test_an_instant_query_is_one_value_and_odd_numbers_are_entities(grafana: httpx.AsyncClient) -> None:
    answer = await query(
        grafana,
        {"expr": "vector(3)", "instant": True},
        {"refId": "B", "expr": "vector(0) / 0", "instant": True},
    )
    results = answer.json()["results"]
    assert results["A"]["frames"][0]["data"]["values"][1] == [3.0]
    assert results["B"]["frames"][0]["data"]["values"][1] == [None]
    assert results["B"]["frames"][0]["data"]["entities"] == [None, {"NaN": [0]}]


async def test_no_series_is_a_frame_without_fields(grafana: httpx.AsyncClient) -> None:
    answer = await query(grafana, {"expr": "no_such_metric", "instant": True})
    [frame] = answer.json()["results"]["A"]["frames"]
    assert (answer.status_code, frame["schema"]["fields"], frame["data"]["values"]) == (200, [], [])


async def test_a_query_that_fails_makes_the_answer_400(grafana: httpx.AsyncClient) -> None:
    answer = await query(grafana, {"expr": "sum("}, {"refId": "B", "expr": "vector(1)"})
    results = answer.json()["results"]
    assert answer.status_code == 400
    assert results["A"]["status"] == 400
    assert "parse error" in results["A"]["error"]
    assert results["B"]["status"] == 200


async def test_a_prometheus_that_is_gone_is_said(blind: httpx.AsyncClient) -> None:
    answer = await query(blind, {"expr": "up"})
    assert (answer.status_code, answer.json()["results"]["A"]["status"]) == (400, 502)
    health = await blind.get(f"/api/datasources/uid/{DATASOURCE_UID}/health", headers=TOKEN)
    assert (health.status_code, health.json()["status"]) == (400, "ERROR")
    assert "dial tcp 127.0.0.1:9: connect: connection refused - There was an" in health.json()["message"]


async def test_a_prometheus_that_never_answers_is_said() -> None:
    async with raw_server(b"", hang=True) as url:
        with pytest.raises(Unavailable, match="TimeoutError"):
            await get_json(f"{url}/api/v1/query", within_seconds=0.2)


async def test_grafanas_own_variables_are_filled_in(grafana: httpx.AsyncClient) -> None:
    expression = "rate(up[$__rate_interval]) or rate(up[$__range]) or rate(up[${__interval}])"
    answer = await query(grafana, {"expr": expression, "intervalMs": 15_000})
    executed = answer.json()["results"]["A"]["frames"][0]["schema"]["meta"]["executedQueryString"]
    assert "rate(up[16s]) or rate(up[3600s]) or rate(up[15s])" in executed


@pytest.mark.parametrize("body", [{}, {"queries": "x"}, {"queries": []}])
async def test_no_queries_are_400(blind: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await blind.post("/api/ds/query", json=body, headers=TOKEN)
    assert (answer.status_code, answer.json()["message"]) == (400, "no queries found")


def test_times_are_grafanas() -> None:
    assert times_of(1_700_000_000_000, "1700000060000") == (1_700_000_000.0, 1_700_000_060.0)
    start, end = times_of("now-24h", None)
    assert end - start == pytest.approx(86_400)
