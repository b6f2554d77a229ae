"""Nothing is brought about where an alert is not at rest, or its way not clear: on real servers."""

import re
from collections.abc import Callable
from itertools import count

import pytest

from opsconsole.config import Environment
from opsconsole.lab.state import LabState
from opsconsole.model import AlertPlan, Outcome
from opsconsole.walkthrough.plan import plans
from opsconsole.walkthrough.sight import Sight
from opsconsole.walkthrough.steady import Unsteady, steady
from tests.checks.breaking import (
    ask,
    eventually,
    firing,
    prometheus_config,
    replaced,
    rule_file,
    rules,
    silence,
)
from tests.checks.conftest import changed
from tests.checks.unseen import NOBODY
from tests.standins.proxy import Told, at, proxied
from tests.walkthrough.conftest import SeenIn
from tests.walkthrough.editing import edited, rule_as, without

pytestmark = pytest.mark.servers

GRANT, HIGH = "BillingCreditGrantAnomalyDetected", "BillingPaymentFailureRateHigh"
OLD = "2026-01-01T00:00:00.000000000Z"


@pytest.fixture
async def plan(sight: Sight) -> AlertPlan:
    """Made while everything is well."""
    (plan,) = await plans(sight, [GRANT])
    assert not plan.obstacles
    return plan


async def unsteady(sight: Sight, plan: AlertPlan) -> Unsteady:
    with pytest.raises(Unsteady) as raised:
        await steady(sight, plan)
    assert raised.value.looked_at
    return raised.value


async def test_at_rest(sight: Sight, plan: AlertPlan) -> None:
    told = await steady(sight, plan)
    assert re.fullmatch(
        r"inactive, evaluated [\d.]+ s ago; 1 of 1 targets up, scraped [\d.]+ s ago; "
        r"Alertmanager holds none of it; the way to email alerts@rsolv\.dev is clear; no failures just now.*",
        told,
    )


async def test_all_seven_are_at_rest_side_by_side(sight: Sight) -> None:
    for plan in await plans(sight):
        assert await steady(sight, plan)


@pytest.mark.parametrize(("holds", "state"), [("0s", "firing"), ("1h", "pending")])
async def test_active_already(holds: str, state: str, lab: LabState, sight: Sight, plan: AlertPlan) -> None:
    with rule_file(lab, edited(rule_as(GRANT, **{"expr": "vector(1) > 0", "for": holds}))):
        eventually(lambda: any(rule["state"] == state for rule in rules(lab)), f"the alert is {state}")
        found = await unsteady(sight, plan)
    assert found.outcome is Outcome.FAIL
    assert re.fullmatch(
        rf"{GRANT} is {state} already, active since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC", found.because
    )
    assert any(line.startswith("the way to email alerts@rsolv.dev is clear") for line in found.looked_at)
    eventually(lambda: not held(lab), "Alertmanager has let go of it")


def held(lab: LabState) -> list[object]:
    found: list[object] = ask(f"{lab.alertmanager_url}/api/v2/alerts")
    return found


async def test_held_by_alertmanager_already(lab: LabState, sight: Sight, plan: AlertPlan) -> None:
    with firing(lab, alertname=GRANT):
        found = await unsteady(sight, plan)
    assert found.outcome is Outcome.FAIL
    assert found.because.startswith(f"Alertmanager holds {GRANT} already (")


async def test_the_target_is_down(lab: LabState, sight: Sight, plan: AlertPlan) -> None:
    with prometheus_config(lab, replaced(lab.service_url.removeprefix("http://"), "127.0.0.1:1")):
        eventually(lambda: scraped(lab) == ("http://127.0.0.1:1/metrics", "down"), "the other target is down")
        found = await unsteady(sight, plan)
    eventually(lambda: scraped(lab) == (lab.metrics_url, "up"), "the target is up again")
    assert found.outcome is Outcome.FAIL
    assert re.match(r"the target \S+ is down: .*connection refused", found.because)


def scraped(lab: LabState) -> tuple[str, str]:
    (target,) = ask(f"{lab.prometheus_url}/api/v1/targets")["data"]["activeTargets"]
    return target["scrapeUrl"], target["health"]


async def test_nothing_is_scraped(lab: LabState, here: Environment, seen_in: SeenIn, plan: AlertPlan) -> None:
    found = await unsteady(await seen_in(changed(here, service_job="another")), plan)
    assert (found.outcome, found.because) == (Outcome.FAIL, "Prometheus has no target of the job another")


async def test_the_scrape_has_stopped(
    lab: LabState, here: Environment, seen_in: SeenIn, plan: AlertPlan
) -> None:
    stale = long_ago("lastScrape")
    up = at("/api/v1/targets", lambda told: stale(told.saying('"health":"down"', '"health":"up"')))
    with proxied(lab.prometheus_url, up) as stopped:
        found = await unsteady(await seen_in(changed(here, prometheus_url=stopped)), plan)
    assert found.outcome is Outcome.FAIL
    assert re.match(r"the target \S+ was last scraped .* ago, and should be every 0\.1 s", found.because)


async def test_the_rule_is_evaluated_no_more(
    lab: LabState, here: Environment, seen_in: SeenIn, plan: AlertPlan
) -> None:
    with proxied(lab.prometheus_url, at("/api/v1/rules", long_ago("lastEvaluation"))) as stopped:
        found = await unsteady(await seen_in(changed(here, prometheus_url=stopped)), plan)
    assert found.outcome is Outcome.FAIL
    assert re.match(r"its rule was last evaluated .* ago, and should be every 0\.1 s", found.because)


def long_ago(key: str) -> Callable[[Told], Told]:
    def change(told: Told) -> Told:
        body = re.sub(rf'"{key}":"[^"]+"', f'"{key}":"{OLD}"', told.body.decode())
        return Told(told.status, body.encode(), told.headers)

    return change


async def test_the_rule_fails(lab: LabState, sight: Sight, plan: AlertPlan) -> None:
    twice = 'up * on (job) (up or label_replace(up, "a", "b", "", "")) > 1'
    with rule_file(lab, edited(rule_as(GRANT, expr=twice))):
        eventually(lambda: any(rule["health"] == "err" for rule in rules(lab)), "the rule fails")
        found = await unsteady(sight, plan)
    assert found.outcome is Outcome.FAIL
    assert found.because.startswith("its rule fails to evaluate: ")


async def test_the_rule_is_gone(lab: LabState, sight: Sight, plan: AlertPlan) -> None:
    with rule_file(lab, edited(without(GRANT))), pytest.raises(Unsteady, match="not loaded any more"):
        await steady(sight, plan)


async def test_silenced_since_it_was_planned(lab: LabState, sight: Sight, plan: AlertPlan) -> None:
    with silence(lab, ("alertname", GRANT)):
        found = await unsteady(sight, plan)
    assert found.outcome is Outcome.FAIL
    assert found.because.endswith("by somebody: maintenance")


async def test_the_mailbox_cannot_be_read(here: Environment, seen_in: SeenIn, plan: AlertPlan) -> None:
    found = await unsteady(await seen_in(changed(here, inbox_url=NOBODY)), plan)
    assert found.outcome is Outcome.UNKNOWN
    assert found.because.startswith("the lab inbox cannot be read: connection refused")


@pytest.mark.parametrize("server", ["prometheus", "alertmanager"])
async def test_a_server_that_cannot_be_seen(
    server: str, here: Environment, seen_in: SeenIn, plan: AlertPlan
) -> None:
    sight = await seen_in(changed(here, **{f"{server}_url": NOBODY}))
    with pytest.raises(Unsteady, match="connection refused") as raised:
        await steady(sight, plan)
    assert raised.value.outcome is Outcome.UNKNOWN


async def test_what_is_seen_to_be_wrong_goes_before_what_is_not_seen(
    lab: LabState, here: Environment, seen_in: SeenIn, plan: AlertPlan
) -> None:
    sight = await seen_in(changed(here, inbox_url=NOBODY))
    with firing(lab, alertname=GRANT):
        found = await unsteady(sight, plan)
    assert found.outcome is Outcome.FAIL
    assert found.because.startswith("Alertmanager holds ")
    assert any(line.startswith("the lab inbox cannot be read") for line in found.looked_at)


async def test_prometheus_fails_to_hand_alerts_over(
    lab: LabState, here: Environment, seen_in: SeenIn, plan: AlertPlan
) -> None:
    growing = counting(f'prometheus_notifications_errors_total{{alertmanager="{lab.alertmanager_url}"}}')
    with proxied(lab.prometheus_url, at("/metrics", growing)) as failing:
        found = await unsteady(await seen_in(changed(here, prometheus_url=failing)), plan)
    assert found.outcome is Outcome.FAIL
    assert re.match(r"Prometheus fails just now to hand alerts over: \d+ more errors", found.because)


async def test_notifications_fail(lab: LabState, here: Environment, seen_in: SeenIn, plan: AlertPlan) -> None:
    growing = counting('alertmanager_notification_requests_failed_total{integration="email"}')
    with proxied(lab.alertmanager_url, at("/metrics", growing)) as failing:
        found = await unsteady(await seen_in(changed(here, alertmanager_url=failing)), plan)
    assert found.outcome is Outcome.FAIL
    assert re.match(r"notifications by email fail just now: \d+ more tries in vain", found.because)


async def test_what_failed_before_is_told_and_no_reason(
    lab: LabState, here: Environment, seen_in: SeenIn, plan: AlertPlan
) -> None:
    before = at("/metrics", lambda told: with_counter(told, _FAILED_EMAILS, 7))
    with proxied(lab.alertmanager_url, before) as failed:
        told = await steady(await seen_in(changed(here, alertmanager_url=failed)), plan)
    assert told.endswith("no failures just now (earlier tries in vain: 7 by email)")


_FAILED_EMAILS = 'alertmanager_notification_requests_failed_total{integration="email"}'


def counting(series: str) -> Callable[[Told], Told]:
    """A counter that grows at each look."""
    numbers = count(1)
    return lambda told: with_counter(told, series, next(numbers))


def with_counter(told: Told, series: str, value: int) -> Told:
    """The metrics with this value for a counter; an order that no other line depends on."""
    kept = [line for line in told.body.decode().splitlines() if not line.startswith(series)]
    return Told(told.status, "\n".join([*kept, f"{series} {value}", ""]).encode(), told.headers)
