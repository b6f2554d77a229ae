"""The back-test over the lab's real history: it finds the incident that the history has, when it was."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from opsconsole.clients.http import Endpoint, Http
from opsconsole.clients.prometheus import Prometheus
from opsconsole.clients.reference import Reference
from opsconsole.lab.environment import reference_rules
from opsconsole.lab.past import DAY_SECONDS, INCIDENT_AT_SECONDS, INCIDENT_SECONDS, ORIGIN, WEEK_SECONDS
from opsconsole.lab.state import LabState
from opsconsole.rehearse.backtest import backtest
from opsconsole.rehearse.model import Rule

pytestmark = pytest.mark.servers

PAYMENTS, STALLED = "BillingPaymentFailureRateHigh", "StripeWebhooksStalled"


@pytest.fixture
async def prometheus(lab: LabState) -> AsyncIterator[Prometheus]:
    door = Http("prometheus", Endpoint(lab.prometheus_url, timeout_seconds=60), lambda exchange: None)
    yield Prometheus(door, lambda *seen: None)
    await door.close()


def rules() -> list[Rule]:
    return [
        Rule(alert=one.name, expr=one.expr, for_seconds=one.for_seconds, labels=one.labels, group=one.group)
        for one in Reference(reference_rules()).rules()
        if one.name in (PAYMENTS, STALLED)
    ]


async def test_the_incident_in_the_history_is_found(prometheus: Prometheus) -> None:
    now = time.time()
    incident = ORIGIN + (now - DAY_SECONDS - ORIGIN) // WEEK_SECONDS * WEEK_SECONDS + INCIDENT_AT_SECONDS
    loaded = rules()
    proposed = [replace(loaded[0], expr=loaded[0].expr.replace("0.10", "0.25")), loaded[1]]
    tests = await backtest(
        prometheus,
        loaded,
        proposed=proposed,
        start=incident - 3 * DAY_SECONDS,
        end=incident + DAY_SECONDS / 2,
    )
    payments, stalled = tests.tests
    (episode,) = payments.episodes
    assert incident < episode.pending_at < incident + 300
    assert 900 <= episode.firing_at - episode.pending_at <= 930
    assert episode.ended_at is not None
    assert 0 < episode.ended_at - (incident + INCIDENT_SECONDS) < 300
    assert 0.10 < episode.peak < 0.25
    assert episode.labels["job"] == "rsolv-platform"
    assert (stalled.fired, stalled.near_misses, stalled.error) == (0, 0, "")
    change, same = tests.changes
    assert (change.vanished, change.new, same.nothing) == (payments.episodes, (), True)
    assert tests.outages == ()
    agreement = {one.name: one for one in tests.agreement}
    assert agreement[PAYMENTS].seconds_before == payments.seconds_firing


async def test_the_lab_agrees_with_its_own_alerts(prometheus: Prometheus) -> None:
    """Nothing has fired since it runs, and the back-test says so too."""
    end = await prometheus.now()
    tests = await backtest(prometheus, rules(), start=end - 60, end=end)
    assert [test.error for test in tests.tests] == ["", ""]
    assert tests.agreed is None
    assert {one.seconds_only_server for one in tests.agreement} == {0.0}
