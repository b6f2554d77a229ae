"""The whole alert test on a real drill lab: every alert to the inbox and back, and wherever it can stop."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from opsconsole import session
from opsconsole.config import Environment
from opsconsole.engine.record import Recorder
from opsconsole.lab.state import LabState
from opsconsole.model import Entry, Hop, HopReached, Outcome
from opsconsole.runview import ItemView, RunView
from opsconsole.store import new_run_id, open_records
from opsconsole.walkthrough import follow, trial
from opsconsole.walkthrough.session import open_drill
from tests.checks.breaking import (
    alertmanager_config,
    ask,
    eventually,
    firing,
    prometheus_config,
    queried,
    replaced,
    rule_file,
    rules,
    service,
    silence,
    target_is,
)
from tests.checks.conftest import changed

Drilled = Callable[..., Awaitable[RunView]]

HIGH, CRITICAL = "BillingPaymentFailureRateHigh", "BillingPaymentFailureRateCritical"
CREDITS, CANCELLED = "BillingCreditGrantAnomalyDetected", "SubscriptionCancellationRateHigh"
NOBODY = "127.0.0.1:1"

_TRIES = 4
_STARVED = ("cannot be held", "could not be held", "it did not hold for", "beside it")


@pytest.fixture
def drilled(tmp_path: Path) -> Drilled:
    """Test these alerts in an environment; `on` is called with each entry as it is recorded."""

    async def run(
        environment: Environment,
        *alerts: str,
        on: Callable[[Entry], None] = lambda entry: None,
        watch_seconds: float | None = None,
    ) -> RunView:
        records = open_records(tmp_path / "records.db")
        recorder = Recorder(new_run_id(), records)
        recorder.add_reader(on)
        try:
            checklist = session.plan(environment).checklist
            async with open_drill(
                environment, checklist, records, recorder, alerts=alerts, watch_seconds=watch_seconds
            ) as opened:
                await opened.verification.prepare()
                await opened.verification.run()
        finally:
            view = RunView.of(records.entries(recorder.run))
            records.close()
        return view

    return run


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less long for what will never come."""
    monkeypatch.setattr(trial, "_SLACK_SECONDS", 8.0)
    monkeypatch.setattr(follow, "_GRACE_SECONDS", 5.0)


@pytest.fixture
def calm(lab: LabState) -> None:
    """Nothing of an earlier test is left: no alert, no scrape that failed in the longest window of a rule,
    and Prometheus has found its Alertmanager again."""
    whole = 'min_over_time(up{job="rsolv-platform"}[8s]) == 1 and count_over_time(up[8s]) > 20'

    def sends_here() -> bool:
        found = ask(f"{lab.prometheus_url}/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
        return [one["url"] for one in found] == [f"{lab.alertmanager_url}/api/v2/alerts"]

    eventually(sends_here, "Prometheus sends to the lab's Alertmanager")
    eventually(lambda: queried(lab, whole), "the longest window holds no scrape that failed")
    eventually(lambda: not any(rule["alerts"] for rule in rules(lab)), "all alerts are inactive")
    eventually(lambda: not ask(f"{lab.alertmanager_url}/api/v2/alerts"), "Alertmanager holds none")


pytestmark = [pytest.mark.usefixtures("calm")]


async def test_every_alert_goes_from_its_cause_to_the_inbox_and_back(
    lab: LabState, here: Environment, drilled: Drilled
) -> None:
    for _ in range(_TRIES):
        view = await drilled(here)
        if not any(map(_starved, view.items.values())):
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


@contextmanager
def _unscraped(lab: LabState) -> Iterator[None]:
    with prometheus_config(lab, replaced(lab.service_url.removeprefix("http://"), NOBODY)):
        eventually(lambda: [NOBODY in url for url in _scraped(lab)] == [True], "another target is scraped")
        target_is(lab, "down")
        yield
    target_is(lab, "up")


def _scraped(lab: LabState) -> list[str]:
    targets = ask(f"{lab.prometheus_url}/api/v1/targets")["data"]["activeTargets"]
    return [target["scrapeUrl"] for target in targets]


@contextmanager
def _sent_elsewhere(lab: LabState) -> Iterator[None]:
    def sent() -> list[bool]:
        found = ask(f"{lab.prometheus_url}/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
        return [NOBODY in one["url"] for one in found]

    with prometheus_config(lab, replaced(lab.alertmanager_url.removeprefix("http://"), NOBODY)):
        eventually(lambda: sent() == [True], "Prometheus sends to nobody")
        yield


def _unloaded(lab: LabState) -> AbstractContextManager[None]:
    return rule_file(lab, lambda text: text[: text.index("- name: billing-business")])


def _silenced(lab: LabState) -> AbstractContextManager[None]:
    return silence(lab, ("alertname", CREDITS))


@contextmanager
def _inhibited(lab: LabState) -> Iterator[None]:
    rule = f"inhibit_rules:\n- source_matchers: [alertname=Other]\n  target_matchers: [alertname={CREDITS}]\n"
    with alertmanager_config(lab, replaced("inhibit_rules:\n", rule)), firing(lab, alertname="Other"):
        yield


def _to_nobody(lab: LabState) -> AbstractContextManager[None]:
    edit = replaced("- name: billing-info\n", "- name: billing-info\n- name: unused\n")
    return alertmanager_config(lab, edit)


def _mail_down(lab: LabState) -> AbstractContextManager[None]:
    return alertmanager_config(
        lab, replaced(f"smtp_smarthost: {lab.smtp_address}", f"smtp_smarthost: {NOBODY}")
    )


BROKEN_AT: dict[str, tuple[Callable[[LabState], AbstractContextManager[None]], Hop, str]] = {
    "scrape stopped": (_unscraped, Hop.METRIC, "does not scrape"),
    "rule gone": (_unloaded, Hop.PENDING, "the rule is not loaded any more"),
    "Alertmanager unreachable": (_sent_elsewhere, Hop.ALERTMANAGER, NOBODY),
    "silenced": (_silenced, Hop.RECEIVER, "silenced by somebody: maintenance"),
    "inhibited": (_inhibited, Hop.RECEIVER, "inhibited by Other"),
    "routed to nobody": (_to_nobody, Hop.RECEIVER, "routed to nobody"),
    "mail server down": (_mail_down, Hop.RECEIVER, "tries in vain to notify by email"),
}


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("broken", BROKEN_AT)
async def test_what_breaks_on_the_way_is_told_where_it_does(
    broken: str, lab: LabState, here: Environment, drilled: Drilled
) -> None:
    breaks, hop, because = BROKEN_AT[broken]
    with ExitStack() as held:

        def at_steady(entry: Entry) -> None:
            if isinstance(entry.event, HopReached) and entry.event.hop is Hop.STEADY:
                held.enter_context(breaks(lab))
            if isinstance(entry.event, HopReached) and entry.event.hop is Hop.STOPPED:
                held.close()

        patient = replace(here, settings={**here.settings, "delivery_seconds": 5.0})
        for _ in range(_TRIES):
            view = await drilled(patient, CREDITS, on=at_steady)
            if not _starved(view.items[CREDITS]):
                break
    item = view.items[CREDITS]
    assert item.missed
    assert (item.outcome, item.missed.hop) == (Outcome.FAIL, hop)
    assert because in item.missed.because
    assert item.missed.looked_at
    assert {Hop.STOPPED, Hop.CLEAN} <= set(item.hops)
    assert hop not in item.hops
    assert not view.open_effects


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


@pytest.mark.usefixtures("hurried")
async def test_another_alert_of_the_same_name_is_not_taken_for_it(
    lab: LabState, here: Environment, drilled: Drilled
) -> None:
    with ExitStack() as held:

        def on(entry: Entry) -> None:
            if not isinstance(entry.event, HopReached):
                return
            if entry.event.hop is Hop.STEADY:
                held.enter_context(_sent_elsewhere(lab))
            if entry.event.hop is Hop.CAUSE:
                labels = {"component": "billing", "severity": "info", "job": "other"}
                held.enter_context(firing(lab, alertname=CREDITS, **labels))
            if entry.event.hop is Hop.STOPPED:
                held.close()

        view = await drilled(here, CREDITS, on=on)
    item = view.items[CREDITS]
    assert item.missed
    assert (item.outcome, item.missed.hop) == (Outcome.FAIL, Hop.ALERTMANAGER)


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


def _starved(item: ItemView) -> bool:
    """Whether it could not be tested for want of computing time: it says so, and is to be tried again."""
    return item.outcome is Outcome.UNKNOWN and any(words in item.text for words in _STARVED)
