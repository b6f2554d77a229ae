"""Killed at any moment, an alert test leaves nothing that `cleanup` does not take back, and nothing is lost.

`make bench` does the same with many more.
"""

import random
from pathlib import Path

import pytest

from opsconsole.lab.state import LabState
from tests.checks.breaking import ask, eventually, rules
from tests.standins.console import Console
from tests.standins.killing import killed, state, wrong

DRILL = (
    "alert-test",
    "BillingPaymentFailureRateHigh",
    "StripeWebhooksStalled",
    "SubscriptionCancellationRateHigh",
)
SEND = ("alert", "send")


@pytest.fixture
def console(tmp_path: Path, lab: LabState) -> Console:
    """Where no alert of an earlier run is left."""
    calm(lab)
    return Console(tmp_path, lab)


def calm(lab: LabState) -> None:
    eventually(lambda: not any(rule["alerts"] for rule in rules(lab)), "all alerts are inactive")
    eventually(lambda: not ask(f"{lab.alertmanager_url}/api/v2/alerts"), "Alertmanager holds none")


@pytest.mark.parametrize("seed", range(2))
def test_killed_while_something_is_in_effect(console: Console, seed: int) -> None:
    """On a machine that has much to do a drill may find its alerts not at rest: then the next one."""
    before, moments = state(console), random.Random(seed)
    for _ in range(5):
        run = killed(console, *DRILL, since='"EffectBegun"', after_seconds=moments.uniform(0.0, 1.0))
        assert list(wrong(console, before, run)) == []
        if run.left:
            return
        calm(console.lab)
    pytest.fail(f"nothing was in effect in any of them: {run.shown[-3:]}")


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment(console: Console, seed: int) -> None:
    before = state(console)
    moment = random.Random(seed).uniform(0.0, 15.0)
    run = killed(console, *DRILL, after_seconds=moment)
    assert list(wrong(console, before, run)) == []


@pytest.mark.parametrize("seed", range(2))
def test_killed_while_a_test_alert_is_on_its_way(console: Console, seed: int) -> None:
    before = state(console)
    moment = random.Random(seed).uniform(0.0, 1.5)
    run = killed(console, *SEND, after_seconds=moment)
    assert list(wrong(console, before, run)) == []
