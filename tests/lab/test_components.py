"""The shipped rules, routes and dashboard: valid for the real tools, complete, and alive."""

import json
import re
import string
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsconsole.lab.servers import Servers
from opsconsole.lab.service.families import FAMILIES
from opsconsole.lab.shortening import shorten_routes, shorten_rules
from opsconsole.lab.stack import component

P = "rsolv_billing_"
PAID = f'{P}payment_processed_total{{job="rsolv",status="success"}}'
FAILED = f'{P}payment_processed_total{{job="rsolv",status="failed"}}'
RECEIVED = f'{P}stripe_webhook_received_total{{job="rsolv",event_type="invoice.paid",status="success"}}'
REFUSED = (
    f'{P}stripe_webhook_failed_total{{job="rsolv",event_type="test",failure_reason="invalid_signature"}}'
)
CREATED = f'{P}subscription_created_total{{job="rsolv",plan="pro",status="success"}}'
CANCELLED = f'{P}subscription_cancelled_total{{job="rsolv",plan="pro",reason="requested"}}'
WEBHOOK_SECONDS = f"{P}stripe_webhook_received_duration_milliseconds_bucket"
GRANTED = f"{P}credits_added_quantity_bucket"

MEANT = {  # alert: for, severity, subsystem (facts of the billing system)
    "BillingPaymentFailureRateHigh": ("15m", "warning", "payment"),
    "BillingPaymentFailureRateCritical": ("10m", "critical", "payment"),
    "StripeWebhookFailureRateHigh": ("15m", "warning", "webhook"),
    "StripeWebhookProcessingDurationHigh": ("20m", "warning", "webhook"),
    "StripeWebhooksStalled": (None, "info", "webhook"),
    "SubscriptionCancellationRateHigh": ("1h", "warning", "subscription"),
    "BillingCreditGrantAnomalyDetected": ("5m", "info", "credits"),
}


def buckets(name: str, bounds: dict[str, int]) -> dict[str, str]:
    """Cumulative buckets that grow each minute by so many."""
    return {f'{name}{{job="rsolv",le="{le}"}}': f"0+{rate}x2000" for le, rate in bounds.items()}


# alert: what makes it fire, the minute before which it does not fire, the minute when it does
INCIDENTS: dict[str, tuple[dict[str, str], int, int]] = {
    "BillingPaymentFailureRateHigh": ({PAID: "0+88x60", FAILED: "0+12x60"}, 15, 18),
    "BillingPaymentFailureRateCritical": ({PAID: "0+70x60", FAILED: "0+30x60"}, 10, 13),
    "StripeWebhookFailureRateHigh": ({RECEIVED: "0+100x60", REFUSED: "0+12x60"}, 15, 18),
    "StripeWebhookProcessingDurationHigh": (
        buckets(WEBHOOK_SECONDS, {"500.0": 10, "1000.0": 12, "5000.0": 100, "+Inf": 100}), 20, 23,
    ),
    "StripeWebhooksStalled": ({RECEIVED: "0+100x30 3000x800"}, 380, 400),
    "SubscriptionCancellationRateHigh": ({CREATED: "0+10x200", CANCELLED: "0+2x200"}, 60, 65),
    "BillingCreditGrantAnomalyDetected": (
        buckets(GRANTED, {"500.0": 90, "1000.0": 90, "2500.0": 100, "+Inf": 100}), 5, 8,
    ),
}  # fmt: skip

WELL = {
    PAID: "0+95x1500", FAILED: "0+5x1500", RECEIVED: "0+100x1500", REFUSED: "0+5x1500",
    CREATED: "0+100x1500", CANCELLED: "0+5x1500",
    **buckets(WEBHOOK_SECONDS, {"500.0": 96, "1000.0": 100, "5000.0": 100, "+Inf": 100}),
    **buckets(GRANTED, {"500.0": 100, "1000.0": 100, "2500.0": 100, "+Inf": 100}),
}  # fmt: skip


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(component("billing-alerts.yml"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alertmanager_config(folder: Path) -> Path:
    places = {"smtp_address": "127.0.0.1:25", "inbox_url": "http://127.0.0.1:80"}
    file = folder / "alertmanager.yml"
    file.write_text(string.Template(component("alertmanager.yml")).substitute(places))
    return file


def unit_test(series: dict[str, str], firing: dict[int, list[str]]) -> dict[str, Any]:
    """A case for `promtool test rules`: exactly these alerts fire at these minutes."""
    checks = []
    for minute, alerts in firing.items():
        for alert in MEANT:
            _, severity, subsystem = MEANT[alert]
            labels = f'alertname="{alert}",alertstate="firing",component="billing",job="rsolv",'
            sample = {
                "labels": f'ALERTS{{{labels}severity="{severity}",subsystem="{subsystem}"}}',
                "value": 1,
            }
            query = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
            expected = [sample] if alert in alerts else []
            checks.append({"expr": query, "eval_time": f"{minute}m", "exp_samples": expected})
    listed = [{"series": name, "values": values} for name, values in series.items()]
    return {"interval": "1m", "input_series": listed, "promql_expr_test": checks}


def run_unit_tests(servers: Servers, folder: Path, *cases: dict[str, Any]) -> str:
    (folder / "rules.yml").write_text(component("billing-alerts.yml"))
    suite = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": cases}
    (folder / "test.yml").write_text(json.dumps(suite))
    return run(servers.promtool, "test", "rules", folder / "test.yml")


def run(*command: str | Path) -> str:
    """What the command prints; fails the test with it where the command fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_seven_alerts_are_as_meant() -> None:
    found = {
        rule["alert"]: (rule.get("for"), rule["labels"]["severity"], rule["labels"]["subsystem"])
        for rule in rules()
    }
    assert found == MEANT
    assert {rule["labels"]["component"] for rule in rules()} == {"billing"}


def test_every_alert_explains_itself_and_names_its_runbook() -> None:
    for rule in rules():
        assert {"summary", "description", "runbook_url"} <= rule["annotations"].keys()
        assert rule["annotations"]["runbook_url"] == f"runbooks/{rule['alert']}.md"


@pytest.mark.parametrize("drill", [False, True], ids=["lab", "drill lab"])
def test_the_real_tools_accept_the_files(servers: Servers, tmp_path: Path, drill: bool) -> None:
    places = {"alertmanager_address": "127.0.0.1:93", "service_address": "127.0.0.1:95", "instance": "i"}
    places["interval"] = "100ms" if drill else "1s"
    shipped, routes = component("billing-alerts.yml"), alertmanager_config(tmp_path)
    (tmp_path / "billing-alerts.yml").write_text(shorten_rules(shipped) if drill else shipped)
    (tmp_path / "prometheus.yml").write_text(string.Template(component("prometheus.yml")).substitute(places))
    assert "7 rules found" in run(servers.promtool, "check", "config", tmp_path / "prometheus.yml")
    if drill:
        routes.write_text(shorten_routes(routes.read_text()))
    assert "SUCCESS" in run(servers.amtool, "check-config", routes)


@pytest.mark.parametrize("alert", MEANT)
def test_the_alert_fires_when_its_time_is_over(alert: str, servers: Servers, tmp_path: Path) -> None:
    series, too_early, due = INCIDENTS[alert]
    if alert != "StripeWebhooksStalled":
        series = {RECEIVED: "0+100x1500", **series}
    run_unit_tests(servers, tmp_path, unit_test(series, {too_early: [], due: [alert]}))


def test_the_stalled_alert_fires_when_the_series_are_gone(servers: Servers, tmp_path: Path) -> None:
    run_unit_tests(
        servers, tmp_path,
        unit_test({RECEIVED: "0+100x30 stale"}, {380: []}),
        {
            "interval": "1m",
            "input_series": [{"series": RECEIVED, "values": "0+100x30 stale"}],
            "promql_expr_test": [
                {"expr": 'count(ALERTS{alertname="StripeWebhooksStalled",alertstate="firing"})',
                 "eval_time": "400m", "exp_samples": [{"labels": "{}", "value": 1}]},
            ],
        },
    )  # fmt: skip


def test_nothing_fires_while_all_is_well(servers: Servers, tmp_path: Path) -> None:
    run_unit_tests(servers, tmp_path, unit_test(WELL, {minute: [] for minute in (1, 30, 400, 1499)}))


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ("severity=critical", "billing-critical"),
        ("severity=warning", "billing-warning"),
        ("severity=info", "billing-info"),
        ("severity=critical opsconsole_run=r1", "billing-critical"),
        ("severity=warning opsconsole_run=r1", "billing-warning"),
        ("severity=info opsconsole_run=r1", "billing-info"),
    ],
)
def test_a_drill_goes_where_the_real_alert_goes(
    labels: str, receivers: str, servers: Servers, tmp_path: Path
) -> None:
    config = f"--config.file={alertmanager_config(tmp_path)}"
    routed = run(servers.amtool, "config", "routes", "test", config, "component=billing", *labels.split())
    assert routed.strip() == receivers


def test_the_dashboard_has_the_ten_panels_over_existing_families() -> None:
    board = json.loads(component("billing_dashboard.json"))
    assert board["uid"] == "billing-metrics"
    assert [panel["title"] for panel in board["panels"]] == [
        "Subscription Creation Rate",
        "Payment Success Rate",
        "Revenue by Plan",
        "Payment Processing Duration",
        "Usage Tracking",
        "Customer Conversion Funnel",
        "Failed Payments by Reason",
        "Subscription Cancellation Rate",
        "Active Subscriptions by Plan",
        "Credit System Overview",
    ]
    exposed = {family.exposed_name for family in FAMILIES.values()}
    for panel in board["panels"]:
        for target in panel["targets"]:
            for name in re.findall(rf"{P}\w+", target["expr"]):
                assert re.sub("_(bucket|sum|count)$", "", name) in exposed
