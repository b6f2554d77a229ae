"""Whether a panel shows data now: asked for the time that its dashboard shows, or for one moment."""

import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from opsconsole.cli.showing import Showing
from opsconsole.clients.http import Endpoint, Http
from opsconsole.clients.prometheus import Prometheus
from opsconsole.errors import Unreachable
from opsconsole.rehearse.load import load_dashboards

NOW = 1_700_000_000.0
BOARD = {
    "title": "Payments",
    "time": {"from": "now-3h", "to": "now"},
    "panels": [
        {"type": "timeseries", "title": "Over time", "targets": [{"expr": "rate(a_total[5m])"}]},
        {"type": "stat", "title": "Now", "targets": [{"expr": "sum(a_total)", "instant": True}]},
    ],
}


@pytest.fixture
def asked(httpserver: HTTPServer) -> list[tuple[str, dict[str, str]]]:
    """What the server was asked. It answers a number to ranges that begin three hours ago, else NaN."""
    questions: list[tuple[str, dict[str, str]]] = []

    def answer(request: Request) -> Response:
        text = request.query_string.decode() or request.get_data(as_text=True)
        form = {name: values[0] for name, values in parse_qs(text).items()}
        questions.append((request.path, form))
        if "refused" in form["query"]:
            body = {"status": "error", "errorType": "bad_data", "error": "many-to-many matching not allowed"}
            return Response(json.dumps(body), 400, content_type="application/json")
        value = [NOW - 60, "1" if float(form.get("start", 0)) == NOW - 3 * 3600 else "NaN"]
        kind = "matrix" if "start" in form else "vector"
        series = {"metric": {}, **({"values": [value]} if kind == "matrix" else {"value": value})}
        data = {"resultType": kind, "result": [series]}
        return Response(json.dumps({"status": "success", "data": data}), content_type="application/json")

    httpserver.expect_request("/api/v1/query").respond_with_handler(answer)
    httpserver.expect_request("/api/v1/query_range").respond_with_handler(answer)
    return questions


async def shown(url: str, folder: Path, query: str) -> bool | str:
    (folder / "board.json").write_text(json.dumps(BOARD))
    http = Http("prometheus", Endpoint(url), lambda exchange: None)
    panels = load_dashboards([folder / "board.json"])
    try:
        return await Showing(Prometheus(http, lambda *seen: None), panels, NOW)(query)
    finally:
        await http.close()


@pytest.mark.parametrize(
    ("query", "path", "shows"),
    [
        ("rate(a_total[5m])", "/api/v1/query_range", True),
        ("sum(a_total)", "/api/v1/query", False),
        ("refused", "/api/v1/query", "many-to-many matching not allowed"),
    ],
    ids=["over time", "one moment and not a number", "refused"],
)
async def test_it_is_asked_as_grafana_would(
    httpserver: HTTPServer,
    asked: list[tuple[str, dict[str, str]]],
    tmp_path: Path,
    query: str,
    path: str,
    shows: bool | str,
) -> None:
    found = await shown(httpserver.url_for(""), tmp_path, query)
    assert [one for one, _ in asked] == [path]
    assert found == shows if isinstance(shows, bool) else shows in str(found)


async def test_a_server_that_is_gone_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        await shown("http://127.0.0.1:1", tmp_path, "sum(a_total)")
