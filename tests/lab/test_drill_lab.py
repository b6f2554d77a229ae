"""A drill lab on the real servers: the shortened rules, calm when left alone, quick when not."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families
from stripe import WebhookSignature

from opsconsole.cli.lab import command
from opsconsole.lab import stack, state
from opsconsole.lab.environment import environment, outline, reference_rules
from opsconsole.lab.servers import Pair
from opsconsole.lab.shortening import shorten_rules
from opsconsole.lab.state import LabState, load
from opsconsole.promql import same
from tests.lab.test_stack import anything_in, get, messages, until, value

EVALUATIONS = 100
METHODS = "/api/v1/billing/payment-methods"
WEBHOOKS = "/api/webhooks/stripe"


@pytest.fixture(scope="module")
def drill_lab(pair: Pair) -> Iterator[LabState]:
    lab = asyncio.run(stack.start("foreground", pair.prometheus, pair.alertmanager, drill=True))
    yield lab
    stack.stop(lab)


@pytest.fixture
def service(drill_lab: LabState) -> Iterator[httpx.Client]:
    """Its billing service, with the key."""
    key = {"Authorization": f"Bearer {drill_lab.api_key}"}
    with httpx.Client(base_url=drill_lab.service_url, headers=key, timeout=60) as client:
        yield client


def groups(lab: LabState) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(f"{lab.prometheus_url}/api/v1/rules")["data"]["groups"]
    return found


def alert_state(lab: LabState, alert: str) -> str:
    return next(str(r["state"]) for group in groups(lab) for r in group["rules"] if r["name"] == alert)


def iterations(lab: LabState) -> dict[str, float]:
    """How often each group of rules has been evaluated, by Prometheus' own metrics."""
    text = httpx.get(f"{lab.prometheus_url}/metrics", timeout=60).text
    name = "prometheus_rule_group_iterations_total"
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples if s.name == name]
    return {sample.labels["rule_group"]: sample.value for sample in samples}


def test_it_is_calm_as_soon_as_it_is_up_and_stays_so(drill_lab: LabState) -> None:
    """For a hundred evaluations of each group: all rules are healthy, and none has fired."""
    began, mails, before = time.time(), get(f"{drill_lab.inbox_url}/messages"), iterations(drill_lab)
    assert len(before) == 4

    def enough() -> bool:
        now = iterations(drill_lab)
        return all(now[group] - count >= EVALUATIONS for group, count in before.items())

    until(enough, "a hundred evaluations")
    rules = [rule for group in groups(drill_lab) for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}
    fired = f'present_over_time(ALERTS{{alertstate="firing"}}[{int(time.time() - began)}s])'
    assert value(drill_lab, fired) is None
    assert get(f"{drill_lab.inbox_url}/messages") == mails


def test_it_scrapes_ten_times_a_second(drill_lab: LabState) -> None:
    loaded = yaml.safe_load(get(f"{drill_lab.prometheus_url}/api/v1/status/config")["data"]["yaml"])
    intervals = ("scrape_interval", "scrape_timeout", "evaluation_interval")
    assert [loaded["global"][interval] for interval in intervals] == ["100ms"] * 3
    until(lambda: (value(drill_lab, "count_over_time(up[10s])") or 0) > 50, "many scrapes")


def test_the_shortened_rules_are_loaded(drill_lab: LabState) -> None:
    wanted = yaml.safe_load(shorten_rules(stack.component("billing-alerts.yml")))["groups"]
    expected = {rule["alert"]: rule["expr"] for group in wanted for rule in group["rules"]}
    loaded = {rule["name"]: rule for group in groups(drill_lab) for rule in group["rules"]}
    assert loaded.keys() == expected.keys()
    for name, rule in loaded.items():
        assert same(rule["query"], expected[name])
    assert loaded["BillingPaymentFailureRateHigh"]["duration"] == 1.47


def test_its_environment_names_all_that_an_alert_test_needs(drill_lab: LabState) -> None:
    drill = environment(drill_lab)
    assert drill.rules == drill_lab.reference_rules_path
    assert drill_lab.reference_rules_path.read_text() == drill_lab.rules_path.read_text()
    service = drill.service
    assert service is not None
    assert service.webhook_secret is not None
    assert (service.declining_payment_method, service.test_hooks) == ("pm_card_visa_chargeDeclined", "/lab")
    assert outline().rules == reference_rules()


def test_silence_of_seconds_is_told_and_ends_with_its_lease(
    drill_lab: LabState, service: httpx.Client
) -> None:
    """Six hours are 4.47 s here. The alert is real: it takes the ordinary route, and is resolved."""

    def told(status: str) -> bool:
        found = get(f"{drill_lab.inbox_url}/messages", channel="email")
        return any(
            "StripeWebhooksStalled" in json.dumps(mail) and status in mail["subject"] for mail in found
        )

    wish = {"webhooks": False, "lease_seconds": 30}
    deadline = time.monotonic() + 300
    while not told("FIRING"):
        assert time.monotonic() < deadline
        assert service.post("/lab/state", json=wish).status_code == 200
        time.sleep(0.1)
    assert alert_state(drill_lab, "StripeWebhooksStalled") == "firing"
    service.post("/lab/state", json={**wish, "lease_seconds": 0.1})
    until(lambda: service.get("/lab/state").json()["webhooks"], "the end of the lease")
    until(lambda: alert_state(drill_lab, "StripeWebhooksStalled") == "inactive", "webhooks again")
    until(lambda: told("RESOLVED"), "the notice of its end")


def test_slow_webhooks_are_seen_in_prometheus(drill_lab: LabState, service: httpx.Client) -> None:
    body = json.dumps({"id": "evt_1", "object": "event", "type": "test", "data": {"object": {}}})
    slower = (
        'rsolv_billing_stripe_webhook_received_duration_milliseconds_count{event_type="test",status="success"}'
        " - ignoring(le) rsolv_billing_stripe_webhook_received_duration_milliseconds_bucket"
        '{event_type="test",status="success",le=~"1000(.0)?"}'
    )
    before = value(drill_lab, slower) or 0.0
    signature = WebhookSignature.generate_signature_header(body, drill_lab.webhook_secret, int(time.time()))
    headers = {"stripe-signature": signature, "X-Test-Delay-Milliseconds": "1200"}
    assert service.post(WEBHOOKS, content=body, headers=headers).status_code == 200
    until(lambda: value(drill_lab, slower) == before + 1, "one webhook slower than a second")


def test_what_a_run_attached_can_be_found_and_removed(service: httpx.Client) -> None:
    body = {"stripe_payment_method_id": "pm_card_visa", "metadata": {"opsconsole_run": "run-of-objects"}}
    attached = [service.post(METHODS, json=body).json()["payment_method"] for _ in range(3)]
    of_run = {"opsconsole_run": "run-of-objects"}
    assert [one["id"] for one in service.get(METHODS, params=of_run).json()["data"]] == attached
    for number in attached:
        assert service.delete(f"{METHODS}/{number}").status_code == 200
    assert service.get(METHODS, params=of_run).json()["data"] == []


def test_a_test_alert_is_mailed_and_resolved(drill_lab: LabState) -> None:
    labels = {
        "alertname": "Drill",
        "component": "billing",
        "severity": "info",
        "opsconsole_run": f"run-{time.time_ns()}",
    }
    alerts = f"{drill_lab.alertmanager_url}/api/v2/alerts"
    httpx.post(alerts, json=[{"labels": labels}], timeout=60).raise_for_status()
    until(lambda: len(messages(drill_lab, labels["opsconsole_run"])) == 1, "the mail")
    past = {"startsAt": "2020-01-01T00:00:00Z", "endsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    httpx.post(alerts, json=[{"labels": labels, **past}], timeout=60).raise_for_status()
    until(lambda: len(messages(drill_lab, labels["opsconsole_run"])) == 2, "its resolution")


def test_a_state_from_before_drill_labs_can_be_read(drill_lab: LabState, tmp_path: Path) -> None:
    old = json.loads((drill_lab.folder / "state.json").read_text())
    del old["drill"]
    (tmp_path / "state.json").write_text(json.dumps(old))
    assert load(tmp_path) == replace(drill_lab, drill=False)


def test_the_command_line_keeps_a_drill_lab(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pair: Pair
) -> None:
    """Apart from the lab of `verify`, which it does not stand in for."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    versions = ["--prometheus-version", pair.prometheus, "--alertmanager-version", pair.alertmanager]

    def lab(*arguments: str) -> str:
        done = CliRunner().invoke(command, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    try:
        assert "The drill lab is up." in lab("up", "--drill", *versions)
        assert "The drill lab is up already" in lab("up", "--drill")
        assert "The drill lab:" in lab("status")
        kept = state.kept(drill=True)
        assert kept is not None
        assert kept.drill
        assert state.kept() is None
    finally:
        assert "The drill lab is down." in lab("down")
    assert not anything_in(tmp_path)
