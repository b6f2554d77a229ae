"""What a person is given to judge the thresholds by."""

import re
from pathlib import Path

import pytest

from opsconsole.config import Environment
from opsconsole.lab.environment import reference_rules
from opsconsole.lab.past import INCIDENT_SECONDS
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.breaking import Edit, replaced, rule_file
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import blinded, every_reason, saying

ITEM = "thresholds"
HIGH = "BillingPaymentFailureRateHigh"
CRITICAL = "BillingPaymentFailureRateCritical"
GRANT = "BillingCreditGrantAnomalyDetected"
SLOW = "StripeWebhookProcessingDurationHigh"
PAYMENTS = 'rsolv_billing_payment_processed_total{status="failed"}'


async def test_the_lab_s_configuration_signs(here: Environment, verify: Verify) -> None:
    view = await verify(here, ITEM)
    assert view.outcome is Outcome.PASS
    assert view.sign_off
    assert not view.sign_off.by_person


async def test_elsewhere_a_person_is_asked(here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, sign_offs={}), ITEM)
    assert view.outcome is Outcome.SIGN_OFF
    assert view.question == "Are the thresholds of these 7 alerts appropriate for production?"


async def test_the_incidents_of_the_past_are_found_with_their_length(
    here: Environment, verify: Verify
) -> None:
    view = await verify(here, ITEM)
    courses = {seen.subject: seen.text for seen in view.seen}
    found = re.match(r"would have fired (\d) times, for (\d+) min .*threshold > 0\.1 ", courses[HIGH])
    assert found, courses[HIGH]
    assert found[1] in "23"
    fires_minutes = (INCIDENT_SECONDS - 15 * 60) / 60  # once `for` is over, until the incident is
    assert fires_minutes - 6 <= int(found[2]) <= fires_minutes + 6
    assert courses[CRITICAL].startswith("would not have fired; 99th percentile")
    assert re.search("[▁▂▃▄▅▆▇█]{30}", courses[GRANT])


async def test_a_threshold_that_no_value_passes(lab: LabState, here: Environment, verify: Verify) -> None:
    with rule_file(lab, replaced("> 0.10", "> 10", 1)):
        view = await verify(changed(here, sign_offs={}), ITEM)
    assert view.outcome is Outcome.FAIL
    assert view.text.startswith(f"{HIGH}: its threshold can never be passed: ")
    assert "is never over 10" in view.text


async def test_whoever_signs_is_told_of_a_threshold_in_another_unit(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with rule_file(lab, replaced("> 1000", "> 1", 1)):
        view = await verify(changed(here, sign_offs={}), ITEM)
    assert view.outcome is Outcome.SIGN_OFF
    assert f"{SLOW}: its buckets reach from 10 to 5000: these look like milliseconds" in view.question
    assert view.question.endswith("is 1000 meant?")


BLANKS: dict[str, tuple[Edit, str]] = {
    "no such metric": (
        replaced("credits_added_quantity_bucket", "credits_granted_bucket"),
        f"{GRANT} (rsolv_billing_credits_granted_bucket is exported by nobody)",
    ),
    "never a number": (replaced("0.99,", "0 / 0,"), GRANT),
}


@pytest.mark.parametrize("blank", BLANKS)
async def test_nothing_to_judge_by_is_not_signed(
    blank: str, lab: LabState, here: Environment, verify: Verify
) -> None:
    with rule_file(lab, BLANKS[blank][0]):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert view.text.startswith(f"no values to judge by, in all the history: {GRANT}")
    assert BLANKS[blank][1] in view.text
    assert view.sign_off is None


async def test_a_rule_that_is_not_loaded_cannot_be_judged(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with rule_file(lab, replaced(f"alert: {GRANT}", "alert: Other")):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.FAIL
    assert view.text == f"{GRANT}: is not loaded, so its threshold cannot be judged"


async def test_without_a_reference_every_rule_is_judged(
    here: Environment, verify: Verify, tmp_path: Path
) -> None:
    view = await verify(changed(here, rules=None), ITEM)
    assert view.text.startswith("7 alerts over the last 1")


async def test_no_history_at_all(here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, settings={"metric": "nothing_total"}), ITEM)
    assert view.outcome is Outcome.FAIL
    assert "no sample of nothing_total" in view.text


def test_the_reference_holds_the_alerts_named_here() -> None:
    assert all(name in reference_rules().read_text() for name in (HIGH, CRITICAL, GRANT))


@every_reason
async def test_unknown_without_prometheus(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "prometheus_url", reason) as blind:
        view = await verify(blind, ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text
