"""Rules that run as they are meant, and all the ways in which they do not."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsconsole.config import Environment
from opsconsole.lab.environment import reference_rules
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.breaking import (
    Edit,
    dropped,
    eventually,
    prometheus_config,
    queried,
    replaced,
    rule_file,
    rules,
    service_down,
)
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import blinded, every_reason, saying
from tests.standins.proxy import Told, at, proxied

ITEM = "rules"
HIGH = "BillingPaymentFailureRateHigh"
CANCELLED = "SubscriptionCancellationRateHigh"
FAILURES = "StripeWebhookFailureRateHigh"
P = "rsolv_billing_"
DURATION = f"{P}stripe_webhook_received_duration_milliseconds"
SLOW = "StripeWebhookProcessingDurationHigh"
TWIN = f"""
  - name: somewhere-else
    rules:
      - alert: {HIGH}
        expr: vector(0) > 0.5
        for: 15m
        labels: {{severity: warning, component: billing, subsystem: payment}}
"""


def renamed(text: str) -> str:
    return text.replace(f"alert: {HIGH}", "alert: BillingPaymentFailureRateHihg")


DRIFTS: dict[str, tuple[Edit, str, str, str]] = {
    "threshold": (replaced("> 0.10", "> 0.11", 1), HIGH, "differs from the reference", "0.11"),
    "for, by seconds": (
        replaced("for: 1h", "for: 1h0m30s"), CANCELLED, "differs from the reference", "+for: 3630 s",
    ),
    "keep_firing_for": (
        replaced("for: 1h\n", "for: 1h\n        keep_firing_for: 2h\n"), CANCELLED,
        "differs from the reference", "+keep_firing_for: 7200 s",
    ),
    "label": (
        replaced("severity: warning", "severity: info", 1), HIGH, "differs from the reference", "=info",
    ),
    "annotation": (
        replaced("runbook_url: runbooks/SubscriptionCancellationRateHigh.md", "runbook_url: TODO"), CANCELLED,
        "differs from the reference", "+annotation runbook_url: TODO",
    ),
    "window": (replaced("[24h]", "[12h]", 1), CANCELLED, "differs from the reference", "12h"),
    "name": (renamed, HIGH, "is not loaded", ""),
    "a second one": (lambda text: text + TWIN, HIGH, "is loaded once more", "somewhere-else"),
}  # fmt: skip


async def test_passes_with_the_rules_as_they_are_meant(here: Environment, verify: Verify) -> None:
    view = await verify(here, ITEM)
    assert (view.outcome, view.text) == (Outcome.PASS, "7 of 7 loaded and evaluated, 7 inactive")


@pytest.mark.parametrize("drift", DRIFTS)
async def test_a_drift_is_shown(drift: str, lab: LabState, here: Environment, verify: Verify) -> None:
    edit, subject, summary, detail = DRIFTS[drift]
    with rule_file(lab, edit):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.FAIL
    finding = next(finding for finding in view.findings if finding.subject == subject)
    assert finding.summary == summary
    assert detail in finding.detail


async def test_a_misspelt_name_is_said(lab: LabState, here: Environment, verify: Verify) -> None:
    with rule_file(lab, renamed):
        view = await verify(here, ITEM)
    missing, *others = view.findings
    assert missing.remedy == "a rule BillingPaymentFailureRateHihg is loaded: is the name misspelt?"
    assert [finding.subject for finding in others] == ["BillingPaymentFailureRateHihg"]


async def test_one_of_two_rules_of_a_name_is_missed(
    lab: LabState, here: Environment, verify: Verify, tmp_path: Path
) -> None:
    reference = tmp_path / "rules.yml"
    reference.write_text(reference_rules().read_text() + TWIN)
    view = await verify(changed(here, rules=reference), ITEM)
    assert view.outcome is Outcome.FAIL
    assert (HIGH, "is not loaded") in [(finding.subject, finding.summary) for finding in view.findings]


async def test_a_refused_file_is_not_hidden_by_the_rules_that_still_run(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with rule_file(lab, lambda text: text + "\n  - broken", accepted=False):
        view = await verify(here, ITEM)
    assert (view.outcome, view.text) == (
        Outcome.FAIL,
        "the last reload was refused: what runs is older than what is configured",
    )
    assert view.diagnosis[0].outcome is Outcome.FAIL


async def test_no_rules_at_all(lab: LabState, here: Environment, verify: Verify) -> None:
    with prometheus_config(lab, replaced("- billing-alerts.yml", "- none-*.yml")):
        view = await verify(here, ITEM)
    eventually(lambda: len(rules(lab)) == 7, "the rules are back")
    assert (view.outcome, view.text) == (Outcome.FAIL, "Prometheus has no alert rule at all")
    assert "/none-*.yml, which rule_files names" in view.findings[0].detail


async def test_a_rule_that_can_never_fire(
    lab: LabState, here: Environment, verify: Verify, tmp_path: Path
) -> None:
    misspelt = replaced("payment_processed_total{", "payments_processed_total{", 1)
    reference = tmp_path / "rules.yml"
    reference.write_text(misspelt(reference_rules().read_text()))
    with rule_file(lab, misspelt):
        view = await verify(changed(here, rules=reference), ITEM)
    assert view.outcome is Outcome.FAIL
    gone = "rsolv_billing_payments_processed_total is exported by nobody"
    assert view.text == f"{HIGH}: can never fire: {gone}"
    assert view.findings[0].remedy == 'instead: rsolv_billing_payment_processed_total{status="failed"}'


DEATHS: dict[str, tuple[Edit, str, str]] = {
    "a percentage": (replaced("> 0.10", "> 10", 1), HIGH, "is never over 10"),
    "above the buckets": (replaced("> 1000", "> 6000", 1), SLOW, "is never over 6000"),
    "no match": (
        replaced("/\n          sum by (job) (", "/\n          sum by (job, status) (", 1), HIGH, "matches",
    ),
    "longer than it can hold": (
        replaced("> 0.10", "> 0.10 and on () (minute() < 10)", 1), HIGH, "holds for at most 10m",
    ),
    "a range under a second": (
        replaced("failed_total[5m]", "failed_total[500ms]", 1), FAILURES, "range of 500ms never holds two",
    ),
}  # fmt: skip


async def test_a_range_of_one_scrape_is_told(
    lab: LabState, here: Environment, verify: Verify, tmp_path: Path
) -> None:
    edit = replaced("failed_total[5m]", "failed_total[1s]", 1)
    reference = tmp_path / "rules.yml"
    reference.write_text(edit(reference_rules().read_text()))
    with rule_file(lab, edit):
        view = await verify(changed(here, rules=reference), ITEM)
    (found,) = view.findings
    assert found.subject == FAILURES
    assert found.summary.startswith(
        f"looks back 1 s at {P}stripe_webhook_failed_total, which is scraped every 1 s"
    )


@pytest.mark.parametrize("death", DEATHS)
async def test_a_rule_that_is_loaded_well_and_dead(
    death: str, lab: LabState, here: Environment, verify: Verify, tmp_path: Path
) -> None:
    edit, subject, summary = DEATHS[death]
    reference = tmp_path / "rules.yml"
    reference.write_text(edit(reference_rules().read_text()))
    with rule_file(lab, edit):
        view = await verify(changed(here, rules=reference), ITEM)
    assert view.outcome is Outcome.FAIL
    assert [finding.subject for finding in view.findings] == [subject]
    assert view.findings[0].summary.startswith("can never fire: ")
    assert summary in view.findings[0].summary


async def test_a_rule_that_fails_to_evaluate(
    lab: LabState, here: Environment, verify: Verify, tmp_path: Path
) -> None:
    many_to_many = replaced(
        "sum by (job) (rate(rsolv_billing_subscription_cancelled_total[24h]))",
        "rate(rsolv_billing_subscription_cancelled_total[24h]) * on (job)"
        " rate(rsolv_billing_subscription_cancelled_total[24h])",
    )
    reference = tmp_path / "rules.yml"
    reference.write_text(many_to_many(reference_rules().read_text()))
    with rule_file(lab, many_to_many):
        eventually(lambda: any(rule["health"] == "err" for rule in rules(lab)), "the rule fails")
        view = await verify(changed(here, rules=reference), ITEM)
    assert view.outcome is Outcome.FAIL
    assert f"{CANCELLED}: fails to evaluate" in view.text


async def test_an_alert_that_is_under_way_is_explained(
    lab: LabState, here: Environment, verify: Verify, tmp_path: Path
) -> None:
    touchy = replaced("> 0.10", ">= 0", 1)
    reference = tmp_path / "rules.yml"
    reference.write_text(touchy(reference_rules().read_text()))
    with rule_file(lab, touchy):
        eventually(lambda: any(rule["state"] == "pending" for rule in rules(lab)), "the alert is pending")
        view = await verify(changed(here, rules=reference), ITEM)
    assert view.outcome is Outcome.PASS
    assert view.text == "7 of 7 loaded and evaluated, 6 inactive, 1 pending"
    assert [seen.subject for seen in view.seen if "is pending since" in seen.text] == [HIGH]


async def test_an_old_evaluation_is_not_taken_for_a_new_one(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    long_ago = (datetime.now(UTC) - timedelta(minutes=10)).isoformat()

    def old(told: Told) -> Told:
        text = re.sub(r'"lastEvaluation":"[^"]*"', f'"lastEvaluation":"{long_ago}"', told.body.decode())
        return replace(told, body=text.encode())

    with proxied(lab.prometheus_url, at("/rules", old)) as url:
        view = await verify(changed(here, prometheus_url=url), ITEM)
    assert view.outcome is Outcome.FAIL
    assert "was evaluated 10 min" in view.text
    assert len(view.findings) == 7


async def test_a_reference_that_cannot_be_read(here: Environment, verify: Verify, tmp_path: Path) -> None:
    reference = tmp_path / "rules.yml"
    reference.write_text("groups: [{name: a, rules: [{alert: A}]}]")
    view = await verify(changed(here, rules=reference), ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert f"{reference}:1" in view.text


@every_reason
async def test_unknown_without_prometheus(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "prometheus_url", reason) as blind:
        view = await verify(blind, ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text


@pytest.mark.parametrize(
    ("metric", "subjects", "metrics_seen", "proof"),
    [
        (f"{DURATION}_bucket", [SLOW], True, "the target exports it"),
        (f"{DURATION}_bucket", [SLOW], False, "of the same histogram is scraped still"),
        (f"{P}stripe_webhook_received_total", [FAILURES], True, "the target exports it"),
    ],
    ids=["a histogram's buckets", "its other series prove it", "not what fires where it is absent"],
)
async def test_an_alert_whose_metric_is_scraped_no_longer(
    metric: str,
    subjects: list[str],
    metrics_seen: bool,
    proof: str,
    lab: LabState,
    here: Environment,
    verify: Verify,
) -> None:
    seeing = here if metrics_seen else changed(here, service_metrics=None)
    with dropped(lab, metric):
        view = await verify(seeing, ITEM)
    assert view.outcome is Outcome.FAIL
    assert [finding.subject for finding in view.findings] == subjects
    assert f"rests on {metric}, which is scraped no longer (last seen " in view.text
    assert proof in view.findings[0].detail


async def test_a_metric_that_may_wait_for_its_first_event_is_for_a_person_to_judge(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    failed = f"{P}stripe_webhook_failed_total"
    with dropped(lab, failed):
        unseen = await verify(changed(here, service_metrics=None), ITEM)
    silent = at("/metrics", lambda told: without(told, failed))
    with proxied(lab.service_url, silent) as url, dropped(lab, failed):
        declared = await verify(changed(here, service_metrics=f"{url}/metrics"), ITEM)
    assert unseen.outcome is Outcome.SIGN_OFF
    assert f"{FAILURES} rests on {failed}, which is scraped no longer" in unseen.question
    assert declared.outcome is Outcome.PASS


def without(told: Told, metric: str) -> Told:
    """The exposition with the declaration of a metric and no sample of it."""
    kept = [line for line in told.body.decode().splitlines(True) if not line.startswith(f"{metric}{{")]
    return replace(told, body="".join(kept).encode())


async def test_a_service_that_is_down_leaves_alerts_blind(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with service_down(lab):
        eventually(lambda: not queried(lab, f"last_over_time({DURATION}_bucket[3s])"), "its metrics are old")
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.FAIL
    assert {finding.detail for finding in view.findings} == {"no target of rsolv-platform is up"}


async def test_a_first_evaluation_in_hours_is_not_waited_for(
    lab: LabState, here: Environment, verify: Verify, tmp_path: Path
) -> None:
    name = "- name: billing-subscriptions\n"
    seldom = replaced(name, f"{name}    interval: 10h\n")
    reference = tmp_path / "rules.yml"
    reference.write_text(seldom(reference_rules().read_text()))
    with rule_file(lab, seldom):
        view = await verify(changed(here, rules=reference), ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert f"{CANCELLED}: not evaluated yet, only every 10 h, which is not waited for" in view.text


async def test_an_alert_on_what_no_rule_records(
    lab: LabState, here: Environment, verify: Verify, tmp_path: Path
) -> None:
    name = "job:billing_credits:p99_5m"
    unrecorded = replaced("rsolv_billing_subscription_cancelled_total", name)
    reference = tmp_path / "rules.yml"
    reference.write_text(unrecorded(reference_rules().read_text()))
    with rule_file(lab, unrecorded):
        rules_view = await verify(changed(here, rules=reference), ITEM)
        thresholds = await verify(changed(here, rules=reference), "thresholds")
    (found,) = rules_view.findings
    assert found.summary == f"can never fire: {name} is exported by nobody"
    assert found.remedy.startswith(f"no rule that is loaded records {name}")
    assert thresholds.text.endswith(f"{CANCELLED} ({name} is exported by nobody)")
