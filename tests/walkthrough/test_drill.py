"""The whole alert test on a real drill lab: every alert to the inbox and back, and what ends a test."""

import asyncio
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from opsconsole import alive, session
from opsconsole.config import Environment
from opsconsole.engine.record import Recorder
from opsconsole.lab.state import LabState
from opsconsole.model import EffectBegun, Entry, Hop, HopReached, Outcome
from opsconsole.runview import RunView
from opsconsole.store import new_run_id, open_records
from opsconsole.walkthrough.session import open_drill
from tests.checks.breaking import (
    ask,
    eventually,
    replaced,
    rule_file,
    rules,
    service,
)
from tests.checks.conftest import changed
from tests.sample_run import started
from tests.walkthrough.conftest import Drilled
from tests.walkthrough.starving import TRIES, starved

HIGH, CRITICAL = "BillingPaymentFailureRateHigh", "BillingPaymentFailureRateCritical"
CREDITS, CANCELLED = "BillingCreditGrantAnomalyDetected", "SubscriptionCancellationRateHigh"
NOBODY = "127.0.0.1:1"

pytestmark = [pytest.mark.usefixtures("calm")]


async def test_every_alert_goes_from_its_cause_to_the_inbox_and_back(
    lab: LabState, here: Environment, drilled: Drilled
) -> None:
    for _ in range(TRIES):
        view = await drilled(here)
        if not any(map(starved, view.items.values())):
            break
    assert set(view.items) == {rule["name"] for rule in rules(lab)}
    assert {item.text for item in view.items.values() if item.outcome is not Outcome.PASS} == set()
    for item in view.items.values():
        pending = {Hop.PENDING} if item.plan and not item.plan.for_seconds else set()
        assert set(item.hops) == set(Hop) - pending
        assert item.exchanges
    assert not view.open_effects
    assert not ask(f"{lab.service_url}/api/v1/billing/payment-methods", token=lab.api_key)["data"]
    assert ask(f"{lab.service_url}/lab/state", token=lab.api_key)["webhooks"] is True


async def test_the_warning_stays_below_the_critical(here: Environment, drilled: Drilled) -> None:
    fired: set[str] = set()
    view = await drilled(here, HIGH, on=lambda entry: fired.update(_firing(here)))
    assert view.items[HIGH].outcome is Outcome.PASS
    assert fired == {HIGH}


async def test_nothing_is_sent_where_the_plan_cannot_succeed(
    lab: LabState, here: Environment, drilled: Drilled
) -> None:
    with rule_file(lab, replaced(f"alert: {HIGH}", "alert: Renamed")):
        eventually(lambda: "Renamed" in {rule["name"] for rule in rules(lab)}, "the rule has another name")
        view = await drilled(here, HIGH)
    item = view.items[HIGH]
    assert (item.outcome, item.missed and item.missed.hop) == (Outcome.FAIL, Hop.PENDING)
    assert "nothing was sent: no rule of this name is loaded" in item.text
    assert not item.readings
    assert not item.hops


def _wrong_label(lab: LabState) -> AbstractContextManager[None]:
    return rule_file(lab, replaced('status="failed"', 'status="failure"'))


async def test_a_wrong_label_in_the_rule_is_named(lab: LabState, here: Environment, drilled: Drilled) -> None:
    with _wrong_label(lab):
        view = await drilled(here, HIGH)
    item = view.items[HIGH]
    assert item.outcome is not Outcome.PASS
    assert item.missed
    assert item.missed.hop is Hop.CAUSE
    assert "does not count what declined_payments does" in item.text


async def test_a_mailbox_that_cannot_be_read_is_told_before_anything_is_sent(
    here: Environment, drilled: Drilled
) -> None:
    view = await drilled(changed(here, inbox_url=f"http://{NOBODY}"), CREDITS)
    item = view.items[CREDITS]
    assert item.missed
    assert (item.outcome, item.missed.hop) == (Outcome.UNKNOWN, Hop.DELIVERED)
    assert "cannot be read" in item.text
    assert not item.readings


async def test_an_answer_that_was_not_counted_on_stops_the_fault_at_once(
    here: Environment, drilled: Drilled
) -> None:
    view = await drilled(changed(here, service_declining_payment_method="pm_card_visa"), HIGH)
    item = view.items[HIGH]
    assert item.missed
    assert (item.outcome, item.missed.hop) == (Outcome.FAIL, Hop.CAUSE)
    assert not view.open_effects
    assert Hop.CLEAN in item.hops


async def test_a_wrong_label_by_which_it_would_go_elsewhere_is_told(
    lab: LabState, here: Environment, drilled: Drilled
) -> None:
    with rule_file(lab, replaced("severity: warning", "severity: warnin")):
        view = await drilled(here, HIGH)
    item = view.items[HIGH]
    assert item.outcome is Outcome.FAIL
    assert "its label severity is 'warnin', and 'warning' in the reference file" in item.text
    assert not item.readings


async def test_what_goes_off_by_itself_is_not_passed(
    lab: LabState, here: Environment, drilled: Drilled
) -> None:
    def at_steady(entry: Entry) -> None:
        if isinstance(entry.event, HopReached) and entry.event.hop is Hop.STEADY:
            ask(f"{lab.service_url}/lab/cancellations", {"count": 300}, token=lab.api_key)
            eventually(lambda: CANCELLED in _active(here), "it goes off by itself")

    view = await drilled(here, CANCELLED, on=at_steady)
    item = view.items[CANCELLED]
    assert item.outcome is Outcome.UNKNOWN
    assert "without anything having been sent" in item.text or "far more is counted" in item.text


async def test_of_two_consoles_none_passes_on_the_cause_of_the_other(
    lab: LabState, here: Environment, drilled: Drilled, tmp_path: Path
) -> None:
    records = open_records(tmp_path / "records.db")
    start = started(CREDITS, run="another", environment="lab")
    data = {"url": lab.service_url, "process": alive.me()}
    effect = EffectBegun(item=CREDITS, effect="another-1", what="grants", undo="nothing", data=data)
    records.append(Entry("another", 1, 0.0, start))
    records.append(Entry("another", 2, 0.0, effect))
    records.close()
    view = await drilled(here, CREDITS)
    item = view.items[CREDITS]
    assert item.outcome is Outcome.UNKNOWN
    assert "run another of another console" in item.text
    assert not item.readings


async def test_an_alert_beside_it_stops_the_fault_at_once(
    lab: LabState, here: Environment, drilled: Drilled
) -> None:
    with ExitStack() as held:

        def at_cause(entry: Entry) -> None:
            if isinstance(entry.event, HopReached) and entry.event.hop is Hop.CAUSE:
                held.enter_context(service(lab, payment_failure_share=0.5))

        view = await drilled(here, CANCELLED, on=at_cause)
    item = view.items[CANCELLED]
    assert item.outcome is Outcome.UNKNOWN
    assert "BillingPaymentFailureRate" in item.text
    assert "went pending beside it" in item.text or "went firing beside it" in item.text


async def test_what_cannot_be_brought_about_here_can_be_watched(
    lab: LabState, here: Environment, drilled: Drilled
) -> None:
    without_hooks = changed(here, service_test_hooks="")
    view = await drilled(without_hooks, CREDITS)
    assert view.items[CREDITS].outcome is Outcome.UNKNOWN
    assert "can only be rehearsed or watched here" in view.items[CREDITS].text

    async def granted() -> None:
        while True:
            credits = {"quantity": 2000, "count": 5}
            await asyncio.to_thread(ask, f"{lab.service_url}/lab/credits", credits, token=lab.api_key)
            await asyncio.sleep(0.2)

    granting: list[asyncio.Task[None]] = []

    def on(entry: Entry) -> None:
        if isinstance(entry.event, HopReached) and entry.event.hop is Hop.STEADY:
            granting.append(asyncio.create_task(granted()))
        if isinstance(entry.event, HopReached) and entry.event.hop is Hop.DELIVERED:
            granting[0].cancel()

    view = await drilled(without_hooks, CREDITS, on=on, watch_seconds=60.0)
    assert view.items[CREDITS].outcome is Outcome.PASS
    assert Hop.NOTICE in view.items[CREDITS].hops


async def test_without_a_mailbox_a_person_has_the_last_word(here: Environment, drilled: Drilled) -> None:
    view = await drilled(replace(here, inbox=None), CREDITS)
    item = view.items[CREDITS]
    assert item.outcome is Outcome.SIGN_OFF
    assert item.question.startswith(f"Did the notification of {CREDITS}, and its resolved notice, arrive at")
    assert Hop.NOTICE in item.hops


async def test_interrupted_it_stops_the_fault_cleans_up_and_records(
    lab: LabState, here: Environment, tmp_path: Path
) -> None:
    records = open_records(tmp_path / "records.db")
    recorder = Recorder(new_run_id(), records)
    checklist = session.plan(here).checklist
    caused = asyncio.Event()
    recorder.add_reader(
        lambda e: caused.set() if isinstance(e.event, HopReached) and e.event.hop is Hop.CAUSE else None
    )
    async with open_drill(here, checklist, records, recorder, alerts=("StripeWebhooksStalled",)) as opened:
        await opened.verification.prepare()
        running = asyncio.create_task(opened.verification.run())
        await caused.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    view = RunView.of(records.entries(recorder.run))
    records.close()
    item = view.items["StripeWebhooksStalled"]
    assert item.outcome is Outcome.UNKNOWN
    assert "interrupted" in item.text
    assert view.finished
    assert not view.open_effects
    assert ask(f"{lab.service_url}/lab/state", token=lab.api_key)["webhooks"] is True


def _active(here: Environment) -> set[str]:
    assert here.prometheus
    groups = ask(f"{here.prometheus.url}/api/v1/rules")["data"]["groups"]
    return {rule["name"] for group in groups for rule in group["rules"] if rule["alerts"]}


def _firing(here: Environment) -> set[str]:
    assert here.prometheus
    groups = ask(f"{here.prometheus.url}/api/v1/rules")["data"]["groups"]
    return {rule["name"] for group in groups for rule in group["rules"] if rule["state"] == "firing"}
