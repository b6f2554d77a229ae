"""prometheus-api-client, a library of others, asks the same server the same questions."""

from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_api_client import PrometheusConnect

from opsconsole.checkkit import until
from opsconsole.clients.prometheus import Prometheus
from opsconsole.lab.stack import LabState
from tests.clients.conftest import OpenDoor

pytestmark = pytest.mark.servers

WITHIN_SECONDS = 120.0
QUERIES = (
    "vector(1)",
    "vector(0) / 0",
    "-vector(1) / 0",
    'rsolv_billing_payment_processed_total{status="failed"}',
    "sum by (plan) (rsolv_billing_usage_tracked_total)",
    "histogram_quantile(0.9, sum by (le) (rate(rsolv_billing_usage_tracked_quantity_bucket[1d])))",
    "no_such_metric",
)


@pytest.fixture
def ours(open_door: OpenDoor, lab: LabState) -> Prometheus:
    return Prometheus(open_door(lab.prometheus_url), lambda *_: None)


@pytest.fixture
def theirs(lab: LabState) -> Any:
    return PrometheusConnect(url=lab.prometheus_url)


@pytest.fixture
async def moment(ours: Prometheus) -> float:
    """A moment within the lab's history, for which no more samples will come."""
    earliest = await ours.earliest("rsolv_billing_payment_processed_total")
    assert earliest
    return earliest + 7 * 86_400


def by_labels(rows: Any) -> list[Any]:
    return sorted(rows, key=lambda row: sorted(row[0].items()))


@pytest.mark.parametrize("promql", QUERIES)
async def test_query(ours: Prometheus, theirs: Any, moment: float, promql: str) -> None:
    answer = theirs.custom_query(promql, params={"time": moment})
    expected = [(row["metric"], str(float(row["value"][1])), row["value"][0]) for row in answer]
    found = [(one.labels, str(one.value), one.at) for one in await ours.query(promql, at=moment)]
    assert by_labels(found) == by_labels(expected)


@pytest.mark.parametrize("promql", QUERIES)
async def test_query_range(ours: Prometheus, theirs: Any, moment: float, promql: str) -> None:
    start, end = moment // 1 - 3600, moment // 1
    times = (datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))
    answer = theirs.custom_query_range(promql, *times, step="60")
    expected = [(row["metric"], [(at, str(float(value))) for at, value in row["values"]]) for row in answer]
    series = await ours.query_range(promql, start=start, end=end, step_seconds=60)
    assert by_labels([(one.labels, [(at, str(v)) for at, v in one.points]) for one in series]) == by_labels(
        expected
    )
    assert all(len(one.points) == 61 for one in series)


async def test_series_and_labels(ours: Prometheus, theirs: Any, moment: float) -> None:
    times = datetime.fromtimestamp(moment - 3600, UTC), datetime.fromtimestamp(moment, UTC)
    expected = theirs.get_series(*times, params={"match[]": ["rsolv_billing_usage_tracked_total"]})
    found = await ours.series("rsolv_billing_usage_tracked_total", start=moment - 3600, end=moment)
    assert found
    assert sorted(map(sorted, found)) == sorted(map(sorted, expected))
    params = {"match[]": ["rsolv_billing_usage_tracked_total"]}
    assert await ours.label_names("rsolv_billing_usage_tracked_total") == theirs.get_label_names(
        params=params
    )


async def test_targets_and_metadata(ours: Prometheus, theirs: Any) -> None:
    metric = "rsolv_billing_payment_processed_amount_cents"

    async def scraped() -> Any:
        return await ours.metadata(metric)

    assert await until(scraped, within_seconds=WITHIN_SECONDS, what="the first scrape")
    expected = {
        (one["labels"]["job"], one["scrapeUrl"], one["health"])
        for one in theirs.get_targets("active")["activeTargets"]
    }
    assert {(one.job, one.url, one.health) for one in await ours.targets()} == expected
    (told, *_) = theirs.get_metric_metadata(metric)
    assert await ours.metadata(metric) == told["type"] == "histogram"
