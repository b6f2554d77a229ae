"""The billing service's series as an environment has them, its seven alerts and its dashboard."""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from opsconsole.rehearse.load import load_dashboards, load_rules
from opsconsole.rehearse.model import Rule
from opsconsole.rehearse.schema import Kind, Metric, Schema

COMPONENTS = Path(__file__).parents[3] / "opsconsole" / "lab" / "components"
SCRAPED_EACH_SECONDS = 15.0
_PREFIX = "rsolv_billing_"
_TARGET = {"job": "rsolv-platform", "instance": "app:9568"}
_SEEN = {
    "plan": ("trial", "pro"), "status": ("success", "failed"), "payment_method": ("card", "sepa"),
    "reason": ("signup_bonus", "billing_added"), "failure_code": ("card_declined",),
    "resource_type": ("fix",),
    "event_type": ("invoice.paid",), "failure_reason": ("invalid_signature",), "customer_id": ("cus_1",),
}  # fmt: skip
_COUNTERS = {
    "subscription_created": ["plan", "status"], "subscription_renewed": ["plan", "status"],
    "subscription_cancelled": ["plan", "reason"], "payment_processed": ["status", "payment_method"],
    "invoice_paid": ["plan"], "invoice_failed": ["failure_code"], "usage_tracked": ["plan", "resource_type"],
    "stripe_webhook_received": ["event_type", "status"], "credits_added": ["reason"],
    "stripe_webhook_failed": ["event_type", "failure_reason"], "credits_consumed": ["plan"],
}  # fmt: skip
_HISTOGRAMS = {
    "payment_processed_amount_cents": (["status", "payment_method"], (100, 500, 1500, 4900, 10000, 50000)),
    "invoice_paid_amount_cents": (["plan"], (100, 500, 1500, 4900, 10000, 50000)),
    "payment_processed_duration_milliseconds": (
        ["payment_method"], (100, 250, 500, 1000, 2000, 5000, 10000),
    ),
    "stripe_webhook_received_duration_milliseconds": (
        ["event_type", "status"], (10, 50, 100, 250, 500, 1000, 5000),
    ),
    "usage_tracked_quantity": (["plan", "resource_type"], (1, 5, 10, 20, 50, 100)),
    "credits_added_quantity": (["reason"], (10, 50, 100, 500, 1000, 5000)),
}  # fmt: skip


def metric(name: str, kind: Kind, labels: Iterable[str], buckets: Iterable[object] = ()) -> Metric:
    """A metric whose every series has these labels, and those of its target."""
    own = [*labels, *([] if "webhook" in name else ["customer_id"])]
    series = [_TARGET]
    for label in own:
        series = [{**one, label: value} for one in series for value in _SEEN.get(label, ("a",))]
    if buckets:
        series = [{**one, "le": str(bound)} for one in series for bound in (*buckets, "+Inf")]
    always = frozenset(series[0])
    return Metric(
        name=name, kind=kind, series=tuple(series), possible=always, always=always,
        scrape_interval_seconds=SCRAPED_EACH_SECONDS,
    )  # fmt: skip


def _metrics() -> Iterator[Metric]:
    for name, labels in _COUNTERS.items():
        yield metric(f"{_PREFIX}{name}_total", "counter", labels)
    for name, (labels, buckets) in _HISTOGRAMS.items():
        yield metric(f"{_PREFIX}{name}_bucket", "histogram", labels, buckets)
        for part in ("_sum", "_count"):
            yield metric(f"{_PREFIX}{name}{part}", "histogram", labels)
    yield Metric(
        name="up", kind="gauge", series=(_TARGET,), possible=frozenset(_TARGET), always=frozenset(_TARGET)
    )


SCHEMA = Schema(
    origin="environment",
    metrics={one.name: one for one in _metrics()},
    scrape_interval_seconds=SCRAPED_EACH_SECONDS,
    families={f"{_PREFIX}{name}": "histogram" for name in _HISTOGRAMS},
)


@cache
def alerts() -> dict[str, Rule]:
    """The reference alerts by name."""
    return {rule.alert: rule for rule in load_rules([COMPONENTS / "billing-alerts.yml"])}


@cache
def panels() -> dict[str, tuple[str, ...]]:
    """The queries of the reference dashboard by panel, variables filled in."""
    found = load_dashboards([COMPONENTS / "billing_dashboard.json"])
    return {panel.title: panel.queries for panel in found}
