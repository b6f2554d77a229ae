"""What a real Prometheus and a Grafana tell of rules, panels and series."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pytest_httpserver import HTTPServer

from opsconsole import config
from opsconsole.checkkit import until
from opsconsole.clients.grafana import Grafana
from opsconsole.clients.http import Endpoint, Http
from opsconsole.clients.prometheus import Prometheus
from opsconsole.errors import ConfigError, Unseen
from opsconsole.lab import processes
from opsconsole.lab.servers import Pair, Servers
from opsconsole.rehearse.load import (
    from_environment,
    load_dashboards,
    loaded_rules,
    refill,
    served_panels,
)
from opsconsole.rehearse.load import history as history_module
from opsconsole.rehearse.model import Rule

WITHIN_SECONDS = 120.0

CONFIG = """
global: {{scrape_interval: 250ms, evaluation_interval: 250ms}}
rule_files: [rules.yml]
scrape_configs:
- {{job_name: app, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
- {{job_name: idle, scrape_interval: 1h, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
"""

RULES = """
groups:
- name: g
  interval: 300ms
  rules:
  - {record: made, expr: sum by (job) (queue)}
  - alert: Long
    expr: queue > 5
    for: 15m
    keep_firing_for: 5m
    labels: {severity: info}
    annotations: {summary: long}
"""

ALWAYS = """\
# TYPE queue gauge
queue{pod="a"} 1
queue{pod="b",zone="z"} 2
# TYPE seconds histogram
seconds_bucket{le="1"} 1
seconds_bucket{le="+Inf"} 1
seconds_sum 1
seconds_count 1
# TYPE failed_total counter
untyped_bucket{le="1"} 1
""" + "".join(f'many{{user="{user}"}} 1\n' for user in range(300))
FIRST = ALWAYS + '# TYPE old gauge\nold{room="1"} 1\nfailed_total{code="1"} 1\n'


@dataclass
class Target:
    """A target and the Prometheus that scrapes it; `text` is what it exposes."""

    url: str
    text: str


@pytest.fixture(scope="module")
def target(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A Prometheus that has seen the metrics `old` and `failed_total`, which are exposed no more."""
    now = Target("", FIRST)

    class Exposes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(now.text.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    exposes = ThreadingHTTPServer(("127.0.0.1", 0), Exposes)
    Thread(target=exposes.serve_forever, daemon=True).start()
    folder: Path = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text(CONFIG.format(port=exposes.server_address[1]))
    (folder / "rules.yml").write_text(RULES)
    with processes.free_ports(1) as (port,):
        process = processes.spawn(
            [
                servers.prometheus,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            log=folder / "log",
            die_with_parent=True,
        )
        now.url = f"http://127.0.0.1:{port}"
        asyncio.run(processes.wait_ready(f"{now.url}/-/ready", process))
    asyncio.run(_forgotten(now))
    yield now
    process.stop()
    exposes.shutdown()
    exposes.server_close()


async def _forgotten(now: Target) -> None:
    """Let the target expose less once all of it was scraped, and wait until that was seen."""
    http = Http("prometheus", Endpoint(now.url), lambda exchange: None)
    prometheus = Prometheus(http, lambda *_: None)

    async def scraped() -> bool:
        return bool(
            await prometheus.query("count(made) and on() count(old) and on() count(failed_total) > 0")
        )

    async def gone() -> bool:  # Prometheus remembers the type for ten scrapes more
        return not await prometheus.query("last_over_time(old[2s])") and "old" not in await prometheus.types()

    assert await until(scraped, within_seconds=WITHIN_SECONDS, what="the first scrape")
    now.text = ALWAYS
    assert await until(gone, within_seconds=WITHIN_SECONDS, what="a scrape without the old metric")
    await http.close()


@pytest.fixture
async def prometheus(target: Target) -> AsyncIterator[Prometheus]:
    http = Http("prometheus", Endpoint(target.url, timeout_seconds=60.0), lambda exchange: None)
    yield Prometheus(http, lambda *_: None)
    await http.close()


def rules(*expressions: str) -> list[Rule]:
    return [Rule(alert="A", expr=expr) for expr in expressions]


async def test_rules_as_loaded(prometheus: Prometheus) -> None:
    record, alert = await loaded_rules(prometheus)
    assert (record.record, record.alert, record.expr) == ("made", "", "sum by (job) (queue)")
    assert (alert.alert, alert.record, alert.for_seconds) == ("Long", "", 900.0)
    assert (alert.keep_firing_for_seconds, alert.labels, alert.annotations) == (
        300.0,
        {"severity": "info"},
        {"summary": "long"},
    )
    assert (alert.group, alert.interval_seconds, alert.line) == ("g", 0.3, 0)
    assert alert.file.endswith("rules.yml")


async def test_series_as_they_are(prometheus: Prometheus, pair: Pair) -> None:
    schema = await from_environment(prometheus, rules("queue > 5 or made", "seconds_count > untyped_bucket"))
    assert schema.origin == "environment"
    queue = schema.metrics["queue"]
    app = {"job": "app", "instance": queue.series[0]["instance"]}
    assert {**app, "pod": "b", "zone": "z"} in queue.series
    assert (queue.kind, queue.last_seen, queue.declared) == ("gauge", None, False)
    assert queue.possible == {"job", "instance", "pod", "zone"}
    assert queue.always == {"job", "instance", "pod"}
    bounds = {series["le"] for series in schema.metrics["seconds_bucket"].series}
    assert bounds == ({"1.0", "+Inf"} if pair.prometheus.startswith("3") else {"1", "+Inf"})
    assert (schema.kind("seconds_bucket"), schema.families["seconds"]) == ("histogram", "histogram")
    assert "seconds" not in schema.metrics
    assert schema.families["untyped"] == "histogram"
    assert "queue" not in schema.recorded
    assert schema.metrics["made"].possible == {"job"}


async def test_what_recording_rules_make_is_scraped_by_nobody(prometheus: Prometheus) -> None:
    schema = await from_environment(prometheus, [Rule(record="made", expr="queue"), *rules("made > 1")])
    assert schema.recorded == {"made"}
    assert schema.metrics["made"].scrape_interval_seconds is None


async def test_how_often_each_is_scraped(prometheus: Prometheus) -> None:
    schema = await from_environment(prometheus, rules("queue", "up"))
    assert schema.metrics["queue"].scrape_interval_seconds == 0.25
    assert schema.metrics["up"].scrape_interval_seconds in (0.25, 3600.0)  # by whether `idle` was scraped


async def test_what_is_gone_and_what_waits_for_its_first_event(prometheus: Prometheus) -> None:
    schema = await from_environment(prometheus, rules("old", "failed_total", "never"))
    old, failed = schema.metrics["old"], schema.metrics["failed_total"]
    assert old.last_seen is not None
    assert abs(old.last_seen - time.time()) < 600
    assert old.possible == {"job", "instance", "room"}
    assert not old.declared
    assert (failed.last_seen, failed.declared, failed.kind) == (None, True, "counter")
    assert failed.possible == {"job", "instance", "code"}
    assert "never" not in schema.metrics


async def test_metrics_with_a_name_like_one_that_is_missing(prometheus: Prometheus) -> None:
    schema = await from_environment(prometheus, rules("queues > 1"))
    assert "queues" not in schema.metrics
    assert schema.metrics["queue"].series


@pytest.mark.parametrize("very_many", [20_000, 100], ids=["few", "very-many"])
async def test_of_many_series_the_labels_are_exact(
    prometheus: Prometheus, monkeypatch: pytest.MonkeyPatch, very_many: int
) -> None:
    monkeypatch.setattr(history_module, "_VERY_MANY", very_many)
    schema = await from_environment(prometheus, rules('many{user="299"} > 1', "queue"))
    many = schema.metrics["many"]
    assert len(many.series) < 210
    assert any(series["user"] == "299" for series in many.series)
    assert many.possible == many.always == {"job", "instance", "user"}
    assert schema.metrics["queue"].always == {"job", "instance", "pod"}


async def test_variables_take_their_values_from_the_series(prometheus: Prometheus, tmp_path: Path) -> None:
    variable = {"name": "pod", "type": "query", "query": "label_values(queue, pod)", "current": {}}
    board = {
        "panels": [{"title": "P", "targets": [{"expr": 'old{pod="$pod"}'}]}],
        "templating": {"list": [variable]},
    }
    (tmp_path / "board.json").write_text(json.dumps(board))
    panels = load_dashboards([tmp_path])
    schema = await from_environment(prometheus, [], panels)
    assert refill(panels, schema)[0].queries == ('old{pod="a"}',)


async def test_a_server_that_tells_neither_types_nor_targets(httpserver: HTTPServer) -> None:
    vector = {"resultType": "vector", "result": [{"metric": {"__name__": "a"}, "value": [1, "1"]}]}
    clock = {"resultType": "scalar", "result": [time.time(), str(time.time())]}
    answers = {"/api/v1/query": vector, "/api/v1/series": [{"__name__": "a", "job": "x"}]}
    httpserver.expect_request("/api/v1/query", query_string={"query": "time()"}).respond_with_json(
        {"status": "success", "data": clock}
    )
    for path, answer in answers.items():
        httpserver.expect_request(path).respond_with_json({"status": "success", "data": answer})
    http = Http("prometheus", Endpoint(httpserver.url_for("")), lambda exchange: None)
    schema = await from_environment(Prometheus(http, lambda *_: None), rules("a > 1"))
    await http.close()
    assert schema.metrics["a"].possible == {"job"}
    assert (schema.kind("a"), schema.scrape_interval_seconds) == ("unknown", None)


async def test_a_server_that_does_not_answer(httpserver: HTTPServer) -> None:
    http = Http("prometheus", Endpoint(httpserver.url_for("")), lambda exchange: None)
    with pytest.raises(Unseen):
        await from_environment(Prometheus(http, lambda *_: None), rules("a > 1"))
    await http.close()


@pytest.mark.parametrize("may_see_sources", [True, False], ids=["sources-seen", "sources-refused"])
async def test_panels_as_served(httpserver: HTTPServer, may_see_sources: bool) -> None:
    targets = [{"refId": "A", "expr": "rate(a[$__rate_interval])"}]
    panels = [
        {"title": "P", "datasource": {"uid": "p"}, "targets": targets},
        {"title": "L", "datasource": {"uid": "l"}, "targets": targets},
    ]
    board = {"dashboard": {"uid": "x", "title": "X", "panels": panels}}
    sources = [
        {"uid": "p", "name": "P", "type": "prometheus", "jsonData": {"timeInterval": "30s"}},
        {"uid": "l", "name": "L", "type": "loki"},
    ]
    httpserver.expect_request("/api/dashboards/uid/x").respond_with_json(board)
    refused = {"message": "Permission needed: datasources:read"}
    answer = (sources, 200) if may_see_sources else (refused, 403)
    httpserver.expect_request("/api/datasources").respond_with_json(answer[0], status=answer[1])
    http = Http("grafana", Endpoint(httpserver.url_for("")), lambda exchange: None)
    grafana = Grafana(http, config.Grafana(url="", dashboard="x"), lambda *_: None)
    found = [(panel.title, panel.queries[0]) for panel in await served_panels(grafana, 1.0)]
    await http.close()
    seen = [("P", "rate(a[120s])")]
    assert found == (seen if may_see_sources else [("P", "rate(a[60s])"), ("L", "rate(a[60s])")])


async def test_a_dashboard_that_is_not_there(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/dashboards/uid/x").respond_with_json({"message": "no"}, status=404)
    http = Http("grafana", Endpoint(httpserver.url_for("")), lambda exchange: None)
    with pytest.raises(ConfigError, match="no dashboard with the uid x"):
        await served_panels(Grafana(http, config.Grafana(url="", dashboard="x"), lambda *_: None), 1.0)
    await http.close()
