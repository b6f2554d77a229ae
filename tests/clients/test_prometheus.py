"""The Prometheus client against real servers."""

import json
import math
import time
from unittest.mock import Mock

import pytest

from opsconsole.checkkit import Performance, performing, until
from opsconsole.clients.prometheus import Prometheus, QueryError, Rule
from opsconsole.errors import Nonsense
from opsconsole.lab.servers import Pair
from opsconsole.lab.stack import LabState
from opsconsole.model import Exchange
from tests.clients.answers import data
from tests.clients.conftest import OpenDoor
from tests.standins.raw import http, raw_server

pytestmark = pytest.mark.servers

WITHIN_SECONDS = 120.0


@pytest.fixture
def versions() -> list[tuple[str, str, str]]:
    return []


@pytest.fixture
def prometheus(open_door: OpenDoor, lab: LabState, versions: list[tuple[str, str, str]]) -> Prometheus:
    return Prometheus(open_door(lab.prometheus_url, server="prometheus"), lambda *seen: versions.append(seen))


@pytest.fixture
def odd(open_door: OpenDoor, odd_prometheus: str) -> Prometheus:
    return Prometheus(open_door(odd_prometheus, server="prometheus"), lambda *_: None)


async def evaluated(odd: Prometheus) -> dict[str, Rule]:
    async def all_evaluated() -> dict[str, Rule] | None:
        rules = {rule.name: rule for rule in await odd.rules()}
        return rules if all(rule.last_evaluation for rule in rules.values()) else None

    rules = await until(all_evaluated, within_seconds=WITHIN_SECONDS, what="the first evaluation")
    assert rules
    return rules


async def test_a_scalar_is_one_sample_without_labels(prometheus: Prometheus) -> None:
    (sample,) = await prometheus.query("scalar(vector(7))", at=1_795_000_000.5)
    assert (sample.labels, sample.value, sample.at) == ({}, 7.0, 1_795_000_000.5)


async def test_a_vector_keeps_labels_nan_and_infinity(prometheus: Prometheus) -> None:
    samples = await prometheus.query('label_replace(vector(0) / 0, "a", "b", "", "")')
    assert samples[0].labels == {"a": "b"}
    assert math.isnan(samples[0].value)
    assert (await prometheus.query("vector(1) / 0"))[0].value == math.inf
    assert (await prometheus.query("vector(-1) / 0"))[0].value == -math.inf


async def test_an_empty_vector_is_an_empty_list(prometheus: Prometheus) -> None:
    assert await prometheus.query("no_such_metric") == []


@pytest.mark.parametrize(("promql", "kind"), [("up[1m]", "matrix"), ('"text"', "string")])
async def test_a_result_of_another_type_is_refused(prometheus: Prometheus, promql: str, kind: str) -> None:
    with pytest.raises(Nonsense, match=kind):
        await prometheus.query(promql)


async def test_a_broken_query_is_told_in_prometheus_own_words(prometheus: Prometheus) -> None:
    with pytest.raises(QueryError, match="parse error"):
        await prometheus.query("up(")
    twice = 'label_replace(vector(1), "a", "1", "", "") or label_replace(vector(1), "a", "2", "", "")'
    with pytest.raises(QueryError, match="many-to-many"):
        await prometheus.query(f"({twice}) * on() ({twice})")


async def test_a_range_has_a_point_for_each_step(prometheus: Prometheus) -> None:
    (series,) = await prometheus.query_range("vector(3)", start=1000, end=1060, step_seconds=15)
    assert series.points == [(1000.0 + 15 * n, 3.0) for n in range(5)]


@pytest.mark.parametrize(("points", "parts"), [(11_000, 1), (11_001, 2), (25_001, 3)])
async def test_a_long_range_is_asked_in_parts_without_gap_or_double(
    prometheus: Prometheus, recorded: list[Exchange], points: int, parts: int
) -> None:
    (series,) = await prometheus.query_range("time()", start=0, end=points - 1, step_seconds=1)
    assert [at for at, _ in series.points] == list(range(points))
    assert [value for _, value in series.points] == list(range(points))
    assert len(recorded) == parts


async def test_series_and_labels_of_a_selector(prometheus: Prometheus) -> None:
    async def scraped() -> bool:
        return bool(await prometheus.series("up"))

    assert await until(scraped, within_seconds=WITHIN_SECONDS, what="the first scrape")
    series = await prometheus.series("up")
    assert all(labels["__name__"] == "up" for labels in series)
    assert {"__name__", "instance", "job"} <= set(await prometheus.label_names("up"))
    assert await prometheus.series('up{job="no such job"}') == []


async def test_targets_of_one_job(prometheus: Prometheus, odd: Prometheus) -> None:
    async def scraped() -> bool:
        return all(target.last_scrape for target in await prometheus.targets("rsolv-platform"))

    assert await until(scraped, within_seconds=WITHIN_SECONDS, what="the first scrape")
    (target,) = await prometheus.targets("rsolv-platform")
    assert (target.job, target.health, target.last_error) == ("rsolv-platform", "up", "")
    assert abs(target.last_scrape - time.time()) < 60
    assert target.scrape_interval_seconds == 1.0
    assert await prometheus.targets("no such job") == []


async def test_a_dead_target_says_why(odd: Prometheus) -> None:
    async def down() -> bool:
        return any(target.health == "down" for target in await odd.targets("gone"))

    assert await until(down, within_seconds=WITHIN_SECONDS, what="a failed scrape")
    (target,) = await odd.targets()
    assert "connection refused" in target.last_error
    assert target.scrape_interval_seconds == pytest.approx(0.2)


async def test_rules_of_every_kind(odd: Prometheus) -> None:
    rules = await evaluated(odd)
    assert {name: rule.state for name, rule in rules.items()} | {"Breaks": ""} == {
        "Fires": "firing", "Waits": "pending", "Rests": "inactive", "odd:sum": "", "Breaks": "",
    }  # fmt: skip
    assert (rules["Waits"].for_seconds, rules["Waits"].keep_firing_for_seconds) == (5400.0, 300.0)
    assert rules["odd:sum"].kind == "recording"
    assert rules["Breaks"].health == "err"
    assert "many-to-many" in rules["Breaks"].last_error
    (alert,) = rules["Fires"].alerts
    assert (alert.state, alert.value, alert.labels["severity"]) == ("firing", 1.0, "info")
    assert rules["Fires"].interval_seconds == pytest.approx(0.2)
    assert rules["Fires"].group == "odd"


async def test_what_the_server_says_of_itself(
    prometheus: Prometheus, lab: LabState, versions: list[tuple[str, str, str]]
) -> None:
    runtime = await prometheus.runtime()
    assert runtime.reload_ok
    assert (runtime.retention, runtime.retention_seconds) == ("15d", 15 * 86_400.0)
    assert runtime.start_time <= time.time()
    assert (await prometheus.version()).startswith(lab.prometheus_version)
    assert versions == [("prometheus", await prometheus.version(), lab.prometheus_url)] * 2
    assert (await prometheus.flags())["storage.tsdb.retention.time"] == "15d"
    assert "rsolv-platform" in await prometheus.config()
    address = lab.alertmanager_url.removeprefix("http://")

    async def discovered() -> list[str] | None:
        return await prometheus.alertmanagers()

    assert await until(discovered, within_seconds=WITHIN_SECONDS, what="discovery") == [
        f"http://{address}/api/v2/alerts"
    ]


async def test_metadata_knows_a_counter_by_either_name(prometheus: Prometheus) -> None:
    name = "rsolv_billing_payment_processed_total"

    async def kind() -> str | None:
        return await prometheus.metadata(name)

    assert await until(kind, within_seconds=WITHIN_SECONDS, what="the first scrape") == "counter"
    assert (
        await prometheus.metadata("rsolv_billing_payment_processed_duration_milliseconds_bucket")
        == "histogram"
    )
    assert await prometheus.metadata("no_such_metric") is None


async def test_the_clock_is_the_servers(prometheus: Prometheus) -> None:
    assert abs(await prometheus.clock_offset_seconds()) < 5
    before = time.time()
    assert before - 1 < await prometheus.now() < time.time() + 1


async def test_earliest_finds_the_oldest_sample(prometheus: Prometheus) -> None:
    earliest = await prometheus.earliest("rsolv_billing_payment_processed_total")
    assert earliest
    days = (time.time() - earliest) / 86_400
    assert 14.9 < days < 16.1
    assert await prometheus.earliest("no_such_metric") is None


async def test_what_a_query_warns_of_is_kept_once(prometheus: Prometheus, pair: Pair) -> None:
    for _ in range(2):
        await prometheus.query("quantile(2, vector(1))")
    warns = tuple(map(int, pair.prometheus.split("."))) >= (2, 48)
    assert len(prometheus.warnings) == (1 if warns else 0)


@pytest.mark.parametrize(
    ("warning", "doubtful"),
    [
        ("one store could not be reached", True),
        ('PromQL warning: bucket label "le" is missing', False),
    ],
    ids=["of the answer", "of the expression"],
)
async def test_a_warning_of_the_answer_is_a_doubt(open_door: OpenDoor, warning: str, doubtful: bool) -> None:
    performance = Mock(spec=Performance)
    answer = {**data({"resultType": "vector", "result": []}), "warnings": [warning]}
    token = performing.set(performance)
    try:
        async with raw_server(http(json.dumps(answer).encode())) as url:
            await Prometheus(open_door(url), lambda *_: None).query("up")
    finally:
        performing.reset(token)
    assert performance.doubts.called is doubtful


async def test_every_exchange_is_recorded(prometheus: Prometheus, recorded: list[Exchange]) -> None:
    await prometheus.query("vector(1)")
    (exchange,) = recorded
    assert exchange.status == 200
    assert "query=vector%281%29" in exchange.url + exchange.request_body
    assert '"vector"' in exchange.response_body


async def test_a_long_query_is_posted(prometheus: Prometheus, recorded: list[Exchange]) -> None:
    (sample,) = await prometheus.query(" + ".join(["vector(1)"] * 1000))
    assert sample.value == 1000
    assert recorded[0].method == "POST"


@pytest.mark.parametrize("seconds", [-3600, 3600])
async def test_a_clock_that_is_off_is_not_taken_for_now(open_door: OpenDoor, seconds: int) -> None:
    def answer(request: bytes) -> list[bytes]:
        clock = time.time() + seconds
        return [http(json.dumps(data({"resultType": "scalar", "result": [clock, str(clock)]})).encode())]

    async with raw_server(answer) as url:
        client = Prometheus(open_door(url), lambda *_: None)
        assert await client.clock_offset_seconds() == pytest.approx(seconds, abs=5)
        with pytest.raises(Nonsense, match=r"3600 s (ahead|behind)"):
            await client.now()
