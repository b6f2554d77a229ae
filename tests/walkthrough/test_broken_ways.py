"""Wherever a signal can stop on its way: told there, with what was looked at, on real servers."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace

import pytest

from opsconsole.config import Environment
from opsconsole.lab.state import LabState
from opsconsole.model import Entry, Hop, HopReached, Outcome
from tests.checks.breaking import (
    alertmanager_config,
    ask,
    eventually,
    firing,
    prometheus_config,
    replaced,
    rule_file,
    silence,
    target_is,
)
from tests.walkthrough.conftest import Drilled
from tests.walkthrough.starving import TRIES, starved

CREDITS = "BillingCreditGrantAnomalyDetected"
NOBODY = "127.0.0.1:1"

pytestmark = [pytest.mark.usefixtures("calm")]


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


def _without_subject(lab: LabState) -> AbstractContextManager[None]:
    info = "- name: billing-info\n  email_configs:\n  - to: alerts@rsolv.dev\n"
    return alertmanager_config(lab, replaced(info, f"{info}    headers: {{Subject: ''}}\n"))


BROKEN_AT: dict[str, tuple[Callable[[LabState], AbstractContextManager[None]], Hop, str]] = {
    "scrape stopped": (_unscraped, Hop.METRIC, "does not scrape"),
    "rule gone": (_unloaded, Hop.PENDING, "the rule is not loaded any more"),
    "Alertmanager unreachable": (_sent_elsewhere, Hop.ALERTMANAGER, NOBODY),
    "silenced": (_silenced, Hop.RECEIVER, "silenced by somebody: maintenance"),
    "inhibited": (_inhibited, Hop.RECEIVER, "inhibited by Other"),
    "routed to nobody": (_to_nobody, Hop.RECEIVER, "routed to nobody"),
    "mail server down": (_mail_down, Hop.RECEIVER, "tries in vain to notify by email"),
    "empty subject": (
        _without_subject,
        Hop.DELIVERED,
        "alerts@rsolv.dev: the mail arrived without a subject",
    ),
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
        for _ in range(TRIES):
            view = await drilled(patient, CREDITS, on=at_steady)
            if not starved(view.items[CREDITS]):
                break
    item = view.items[CREDITS]
    assert item.missed
    assert (item.outcome, item.missed.hop) == (Outcome.FAIL, hop)
    assert because in item.missed.because
    assert item.missed.looked_at
    assert {Hop.STOPPED, Hop.CLEAN} <= set(item.hops)
    assert hop not in item.hops
    assert not view.open_effects


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
