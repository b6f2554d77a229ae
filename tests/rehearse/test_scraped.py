"""Labels that are scraped no longer, those that wait for an event, and those that are there."""

from typing import Any, cast

import pytest

from opsconsole.clients.prometheus import Prometheus, Sample, Target
from opsconsole.rehearse.scraped import scraped_no_longer
from tests.clients.test_targets import DOWN
from tests.rehearse.worlds import world

HISTORY = world(
    {"__name__": "paid", "job": "app", "status": "failed", "plan": "pro"},
    {"__name__": "paid", "job": "app", "status": "success", "plan": "pro"},
    {"__name__": "paid", "job": "app", "state": "failed", "plan": "pro"},
)
ALERT = 'sum(rate(paid{status="failed"}[5m])) / sum(rate(paid[5m])) > 0.1'


class Scraped:
    """A Prometheus that scrapes one series of `paid` now, with these labels."""

    def __init__(self, *labels: str) -> None:
        self.labels = {"__name__": "paid", **dict.fromkeys(labels, "x")}

    async def query(self, promql: str) -> list[Sample]:
        asked = [label for label in ("status", "state", "plan") if f'{label}!=""' in promql]
        return [Sample(self.labels, 1.0, 0.0)] if all(label in self.labels for label in asked) else []

    async def rules(self) -> list[Any]:
        return []

    async def targets(self) -> list[Target]:
        return [DOWN]


@pytest.mark.parametrize(
    ("labels", "blind"),
    [
        (("job", "plan", "state"), True),
        (("job", "plan", "status"), False),
        (("job", "plan", "status", "state"), False),
        (("job", "plan"), False),
    ],
    ids=["renamed", "there", "both", "waits for an event"],
)
async def test_a_label_that_was_renamed(labels: tuple[str, ...], blind: bool) -> None:
    prometheus = cast(Prometheus, Scraped(*labels))
    found = await scraped_no_longer(prometheus, None, HISTORY, [ALERT, "sum(rate(paid[5m])) > 1"])
    assert list(found) == ([ALERT] if blind else [])
    for gone in found.get(ALERT, ()):
        assert str(gone) == "paid, whose series have no label `status` any longer"
        assert "`state`" in gone.proof


@pytest.mark.parametrize(
    ("now", "asked", "blind"),
    [
        pytest.param("Failed", 'paid{status="failed"}', True, id="another-case"),
        pytest.param("fai-led", 'paid{status="failed"}', True, id="another-sign"),
        pytest.param("failed", 'paid{status="failed"}', False, id="as-asked"),
        pytest.param("success", 'paid{status="failed"}', False, id="may-only-wait"),
        pytest.param("Failed", 'paid{status="failed"} or paid{status="Failed"}', False, id="both-asked"),
        pytest.param("Failed", 'paid{status=~"failed"}', False, id="a-pattern"),
    ],
)
async def test_a_value_in_another_spelling(now: str, asked: str, blind: bool) -> None:
    prometheus = Scraped("job", "plan", "status")
    prometheus.labels["status"] = now
    alert = f"sum({asked}) > 1"
    found = await scraped_no_longer(cast(Prometheus, prometheus), None, HISTORY, [alert])
    assert list(found) == ([alert] if blind else [])
    for gone in found.get(alert, ()):
        assert str(gone) == 'paid{status="failed"}, of which nothing is scraped'
        assert f'status="{now}"' in gone.proof
