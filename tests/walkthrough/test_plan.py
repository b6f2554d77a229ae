"""What the test of an alert means, and each thing that is in its way, on real servers."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import yaml

from opsconsole.checkkit import until
from opsconsole.clients.wire import seconds
from opsconsole.config import Environment
from opsconsole.errors import Unreachable, UsageError
from opsconsole.lab.shortening import shortened
from opsconsole.lab.state import LabState
from opsconsole.model import AlertPlan, Hop, Outcome
from opsconsole.walkthrough.plan import plans
from opsconsole.walkthrough.sight import Sight
from tests.checks.breaking import (
    alertmanager_config,
    eventually,
    firing,
    prometheus_config,
    rule_file,
    rules,
    silence,
)
from tests.checks.conftest import changed
from tests.checks.unseen import NOBODY
from tests.standins.proxy import at, proxied
from tests.walkthrough.conftest import SeenIn
from tests.walkthrough.editing import Change, edited, rule_as, without

pytestmark = pytest.mark.servers

HIGH, CRITICAL = "BillingPaymentFailureRateHigh", "BillingPaymentFailureRateCritical"
WEBHOOKS, SLOW, STALLED = (
    "StripeWebhookFailureRateHigh",
    "StripeWebhookProcessingDurationHigh",
    "StripeWebhooksStalled",
)
CANCELLATIONS, GRANT = "SubscriptionCancellationRateHigh", "BillingCreditGrantAnomalyDetected"
SEVEN = {HIGH, CRITICAL, WEBHOOKS, SLOW, STALLED, CANCELLATIONS, GRANT}

Broken = Callable[[LabState, Environment], AbstractContextManager[Environment]]


async def planned(sight: Sight, alert: str) -> AlertPlan:
    (plan,) = await plans(sight, [alert])
    return plan


async def with_a_value(sight: Sight, alert: str) -> AlertPlan:
    """A plan made when there was a value: a busy machine may scrape too seldom for a rate over a second."""

    async def valued() -> AlertPlan | None:
        plan = await planned(sight, alert)
        return plan if plan.value is not None else None

    plan = await until(valued, within_seconds=120, what=f"a value for {alert}")
    assert plan is not None
    return plan


async def test_all_seven_can_be_tested(sight: Sight) -> None:
    found = await plans(sight)
    assert {plan.alert for plan in found} == SEVEN
    assert {plan.alert: plan.obstacles for plan in found} == dict.fromkeys(SEVEN, ())
    assert all(plan.sends and plan.recipients for plan in found)


async def test_the_rule_and_its_cost(sight: Sight) -> None:
    plan = await with_a_value(sight, HIGH)
    assert (plan.op, plan.threshold, plan.ceiling) == (">", 0.1, 0.25)
    assert plan.value is not None
    assert 0 <= plan.value < 1
    assert plan.labels == {"component": "billing", "severity": "warning", "subsystem": "payment"}
    assert plan.fault == "declined_payments"
    assert "/api/v1/billing/payment-methods with pm_card_visa_chargeDeclined" in plan.sends
    assert 0 < plan.first < plan.requests
    assert plan.per_second > 0
    assert plan.fewest > 0
    assert set(plan.recipients) == {
        "email admin@rsolv.dev", "email alerts@rsolv.dev", "slack #billing-alerts",
    }  # fmt: skip


async def test_the_times_follow_from_the_servers(sight: Sight, lab: LabState) -> None:
    plan = await planned(sight, HIGH)
    route = next(r for r in _alertmanager(lab)["route"]["routes"] if r["receiver"] == "billing-warning")
    assert plan.pending_seconds == pytest.approx(0.2), "a scrape and an evaluation"
    assert plan.firing_seconds == pytest.approx(0.2 + plan.for_seconds)
    assert plan.notified_seconds - plan.firing_seconds == pytest.approx(seconds(route["group_wait"]))
    assert plan.notified_seconds < plan.hold_seconds < plan.notified_seconds + 5
    empty = 1 + 0.2 + seconds(_alertmanager(lab)["route"]["group_interval"])
    assert plan.resolved_seconds == pytest.approx(empty), "its window, and the next news of its group"


async def test_silence_takes_its_window_to_be_seen(sight: Sight) -> None:
    plan = await planned(sight, STALLED)
    window = shortened(6 * 3600)
    assert plan.pending_seconds == plan.firing_seconds == pytest.approx(window + 0.2)
    assert plan.resolved_seconds < window
    assert (plan.first, plan.requests) == (0, 0)


async def test_what_goes_off_with_it(sight: Sight) -> None:
    plans_by = {plan.alert: plan for plan in await plans(sight, [HIGH, CRITICAL])}
    assert plans_by[HIGH].beside == ()
    (beside,) = plans_by[CRITICAL].beside
    assert beside.startswith(f"{HIGH} goes pending too and fires after ")
    assert beside.endswith(f"while {CRITICAL} fires it is muted by inhibition")
    assert plans_by[CRITICAL].ceiling is None


async def test_without_inhibition_it_notifies(lab: LabState, sight: Sight) -> None:
    with alertmanager_config(lab, edited(lambda config: config.pop("inhibit_rules"))):
        plan = await planned(sight, CRITICAL)
    assert plan.beside[0].endswith(
        ", and notifies email admin@rsolv.dev, email alerts@rsolv.dev, slack #billing-alerts"
    )


async def test_alerts_that_share_a_metric_go_one_by_one(sight: Sight) -> None:
    after = {plan.alert: set(plan.after) for plan in await plans(sight)}
    assert HIGH in after[CRITICAL]
    assert CRITICAL not in after[HIGH]
    assert after[STALLED] == {WEBHOOKS, SLOW}
    assert len({WEBHOOKS in after[SLOW], SLOW in after[WEBHOOKS]}) == 2
    assert after[CANCELLATIONS] == set()


async def test_only_those_that_are_tested_are_waited_for(sight: Sight) -> None:
    assert (await planned(sight, CRITICAL)).after == ()


async def test_asked_twice_it_is_planned_once(sight: Sight) -> None:
    assert [plan.alert for plan in await plans(sight, [STALLED, HIGH, STALLED])] == [STALLED, HIGH]


async def test_an_alert_that_nobody_knows(sight: Sight) -> None:
    with pytest.raises(UsageError) as raised:
        await plans(sight, ["BillingPaymentFailureRateHihg"])
    assert raised.value.hint == f"did you mean {HIGH!r}?"


async def test_prometheus_that_cannot_be_seen_ends_it(here: Environment, seen_in: SeenIn) -> None:
    with pytest.raises(Unreachable):
        await plans(await seen_in(changed(here, prometheus_url=NOBODY)))


async def test_a_rule_without_a_drill_is_read_and_can_be_watched(sight: Sight) -> None:
    plan = await with_a_value(replace(sight, drills={}), HIGH)
    (obstacle,) = plan.obstacles
    assert (obstacle.outcome, obstacle.hop) == (Outcome.UNKNOWN, Hop.CAUSE)
    assert obstacle.summary.startswith("can only be rehearsed or watched here: ")
    assert obstacle.remedy == f"opsconsole alert-test {HIGH} --watch 1h watches it"
    assert plan.value is not None
    assert (plan.fault, plan.sends, plan.requests) == ("", "", 0)


def _alertmanager(lab: LabState) -> Any:
    return yaml.safe_load(lab.alertmanager_config_path.read_text())


def to_nobody(document: Any) -> None:
    document["receivers"] = [
        {"name": receiver["name"]} if receiver["name"] == "billing-info" else receiver
        for receiver in document["receivers"]
    ]


def muted(document: Any) -> None:
    document["time_intervals"] = [{"name": "always", "time_intervals": [{"years": ["2000:2999"]}]}]
    for route in document["route"]["routes"]:
        route["mute_time_intervals"] = ["always"]


def dropping(document: Any) -> None:
    drop = {"source_labels": ["severity"], "regex": "info", "action": "drop"}
    document["alerting"]["alert_relabel_configs"] = [drop]


def to_no_alertmanager(document: Any) -> None:
    document["alerting"]["alertmanagers"] = []


def ruled(change: Change) -> Broken:
    """Another rule file."""

    @contextmanager
    def broken(lab: LabState, here: Environment) -> Iterator[Environment]:
        with rule_file(lab, edited(change)):
            yield here

    return broken


def failing(lab: LabState, here: Environment) -> AbstractContextManager[Environment]:
    """A rule that cannot be evaluated."""
    twice = 'up * on (job) (up or label_replace(up, "a", "b", "", "")) > 1'

    @contextmanager
    def broken() -> Iterator[Environment]:
        with rule_file(lab, edited(rule_as(GRANT, expr=twice))):
            eventually(lambda: any(rule["health"] == "err" for rule in rules(lab)), "the rule fails")
            yield here

    return broken()


def within(*contexts: Callable[[LabState], AbstractContextManager[None]]) -> Broken:
    """While all these are in force."""

    @contextmanager
    def broken(lab: LabState, here: Environment) -> Iterator[Environment]:
        with ExitStack() as stack:
            for context in contexts:
                stack.enter_context(context(lab))
            yield here

    return broken


def elsewhere(**values: Any) -> Broken:
    """The environment with other values."""

    @contextmanager
    def broken(lab: LabState, here: Environment) -> Iterator[Environment]:
        yield changed(here, **values)

    return broken


@dataclass(frozen=True)
class Case:
    broken: Broken
    alert: str
    outcome: Outcome
    hop: Hop
    says: str


IN_THE_WAY = {
    "rule missing": Case(
        ruled(without(GRANT)), GRANT, Outcome.FAIL, Hop.PENDING,
        "no rule of this name is loaded in Prometheus",
    ),
    "rule fails": Case(failing, GRANT, Outcome.FAIL, Hop.PENDING, "its rule fails to evaluate: "),
    "two rules of one name": Case(
        ruled(rule_as(CRITICAL, alert=HIGH)), HIGH, Outcome.UNKNOWN, Hop.PENDING,
        "2 rules have this name, in billing-payments: ",
    ),
    "fault moves something else": Case(
        ruled(rule_as(GRANT, expr="sum by (job) (rate(rsolv_billing_usage_tracked_total[1s])) > 1000")),
        GRANT, Outcome.UNKNOWN, Hop.CAUSE, "can only be rehearsed or watched here: the rule does not count",
    ),
    "silenced": Case(
        within(lambda lab: silence(lab, ("alertname", GRANT))), GRANT, Outcome.FAIL, Hop.RECEIVER,
        "is silenced until ",
    ),
    "inhibited": Case(
        within(
            lambda lab: firing(
                lab, alertname=CRITICAL, component="billing", subsystem="payment", severity="critical"
            )
        ),
        HIGH, Outcome.FAIL, Hop.RECEIVER, f"is inhibited now by {CRITICAL}, which fires",
    ),
    "muted": Case(
        within(lambda lab: alertmanager_config(lab, edited(muted))), GRANT, Outcome.FAIL, Hop.RECEIVER,
        "notifies nobody now: muted by the time interval always",
    ),
    "routed to nobody": Case(
        within(lambda lab: alertmanager_config(lab, edited(to_nobody))), GRANT, Outcome.FAIL, Hop.RECEIVER,
        "is routed to nobody: billing-info notifies no one",
    ),
    "dropped on its way": Case(
        within(lambda lab: prometheus_config(lab, edited(dropping))), GRANT, Outcome.FAIL, Hop.ALERTMANAGER,
        "is dropped by alert_relabel_configs",
    ),
    "Alertmanager not discovered": Case(
        within(lambda lab: prometheus_config(lab, edited(to_no_alertmanager))), GRANT, Outcome.FAIL,
        Hop.ALERTMANAGER, "Prometheus knows no Alertmanager: no alert leaves it",
    ),
    "Alertmanager not to be seen": Case(
        elsewhere(alertmanager_url=NOBODY), GRANT, Outcome.UNKNOWN, Hop.ALERTMANAGER,
        "where it goes cannot be seen: connection refused",
    ),
    "mailbox not to be read": Case(
        elsewhere(inbox_url=NOBODY), GRANT, Outcome.UNKNOWN, Hop.DELIVERED,
        "the lab inbox cannot be read: connection refused",
    ),
    "nothing scraped": Case(
        elsewhere(service_job="another"), GRANT, Outcome.FAIL, Hop.METRIC,
        "Prometheus has no target of the job another",
    ),
    "no test hooks": Case(
        elsewhere(service_test_hooks=""), GRANT, Outcome.UNKNOWN, Hop.CAUSE,
        "can only be rehearsed or watched here: ",
    ),
    "no service": Case(
        elsewhere(service=None), GRANT, Outcome.UNKNOWN, Hop.CAUSE,
        "can only be rehearsed or watched here: the environment names no service",
    ),
    "protected": Case(
        elsewhere(protected=True), HIGH, Outcome.UNKNOWN, Hop.CAUSE,
        "faults on payments are not allowed in lab",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_THE_WAY)
async def test_in_the_way(name: str, lab: LabState, here: Environment, seen_in: SeenIn) -> None:
    case = IN_THE_WAY[name]
    with case.broken(lab, here) as broken:
        plan = await planned(await seen_in(broken), case.alert)
    (obstacle,) = plan.obstacles
    assert (obstacle.outcome, obstacle.hop) == (case.outcome, case.hop)
    assert obstacle.summary.startswith(case.says)


async def test_who_silenced_it_and_why(lab: LabState, sight: Sight) -> None:
    with silence(lab, ("alertname", GRANT)):
        plan = await planned(sight, GRANT)
    assert plan.obstacles[0].summary.endswith(" UTC by somebody: maintenance")


async def test_a_silence_to_come_is_in_the_way_where_it_falls_within_the_test(
    lab: LabState, sight: Sight
) -> None:
    with silence(lab, ("alertname", GRANT), begins_in=timedelta(hours=10)):
        plan = await planned(sight, GRANT)
    assert plan.obstacles == ()
    halfway = timedelta(seconds=(plan.hold_seconds + plan.resolved_seconds) / 2)
    with silence(lab, ("alertname", GRANT), begins_in=halfway):
        plan = await planned(sight, GRANT)
    assert [(one.outcome, one.hop) for one in plan.obstacles] == [(Outcome.FAIL, Hop.RECEIVER)]
    assert " silenced " in plan.obstacles[0].summary


@pytest.mark.parametrize("alert", [HIGH, WEBHOOKS])
async def test_a_protected_environment_can_allow_faults(
    alert: str, here: Environment, seen_in: SeenIn
) -> None:
    sight = await seen_in(changed(here, protected=True, allow_faults=True))
    assert (await planned(sight, alert)).obstacles == ()


async def test_a_protected_environment_allows_what_touches_neither(
    here: Environment, seen_in: SeenIn
) -> None:
    plan = await planned(await seen_in(changed(here, protected=True)), CANCELLATIONS)
    assert plan.obstacles == ()


async def test_the_first_on_the_way_comes_first(lab: LabState, here: Environment, seen_in: SeenIn) -> None:
    sight = await seen_in(changed(here, protected=True, inbox_url=NOBODY))
    with silence(lab, ("alertname", HIGH)):
        plan = await planned(sight, HIGH)
    assert [obstacle.hop for obstacle in plan.obstacles] == [Hop.CAUSE, Hop.RECEIVER, Hop.DELIVERED]
    assert plan.after == ()


async def test_what_cannot_be_tested_is_not_waited_for(lab: LabState, sight: Sight) -> None:
    with silence(lab, ("alertname", HIGH)):
        after = {plan.alert: plan.after for plan in await plans(sight, [HIGH, CRITICAL])}
    assert after[CRITICAL] == ()


async def test_without_a_mailbox_nothing_is_in_the_way(here: Environment, seen_in: SeenIn) -> None:
    plan = await planned(await seen_in(changed(here, inbox=None)), GRANT)
    assert plan.obstacles == ()


async def test_behind_a_port_forward_it_is_not_held_against_it(
    lab: LabState, here: Environment, seen_in: SeenIn
) -> None:
    with proxied(lab.alertmanager_url, at("nowhere", lambda told: told)) as forwarded:
        plan = await planned(await seen_in(changed(here, alertmanager_url=forwarded)), GRANT)
    assert plan.obstacles == ()


async def test_a_missing_rule_still_tells_what_would_be_sent(lab: LabState, sight: Sight) -> None:
    with rule_file(lab, edited(without(GRANT))):
        plan = await planned(sight, GRANT)
        every = await plans(sight)
    assert (plan.fault, plan.expr, plan.threshold) == ("credit_grants", "", None)
    assert every[-1].alert == GRANT
