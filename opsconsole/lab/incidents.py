"""The past of an incident for each alert of the billing rules, as history: so that the rules as they are, six
hours and more included, fire within seconds.

Each incident has a job of its own, so that none waters down another. Beside the samples that a rule reads,
the history says since when the alert has been pending, in Prometheus' own ALERTS_FOR_STATE, from which a
server that starts takes it up again (its rule restoration, with --rules.alert.for-grace-period).
"""

import math
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from opsconsole.clients.reference import ReferenceRule
from opsconsole.errors import LabError
from opsconsole.lab.service.families import FAMILIES, PREFIX

FLAGS = ("--rules.alert.for-grace-period=1s", "--rules.alert.resend-delay=1s")
"""Without the first Prometheus lets every alert that it takes up again wait for ten minutes; without the
second it sends those that fire before it has found its Alertmanager, 5 s after its start, a minute later."""

PROMTOOL_SECONDS = 60.0
_LATER_SECONDS = 9.0
"""By how much the critical payment alert fires later than the warning, which it would mute at once."""

_FULFILLED_SECONDS = 60.0
_NOTED_SECONDS = 300


@dataclass(frozen=True)
class Incident:
    """What has happened before an alert fires: `counters` and `histograms` are series with their rates per
    second, `said` is the whole in words. `lasted_seconds` is how long it has gone on, `step_seconds` how far
    its samples are apart, and `fires_after_seconds` how long the alert is still pending."""

    said: str
    lasted_seconds: int
    counters: Mapping[str, float] = field(default_factory=dict)
    histogram: tuple[str, float, float] | None = None
    step_seconds: int = 15
    fires_after_seconds: float = 0.0


INCIDENTS = {
    "BillingPaymentFailureRateHigh": Incident(
        "15 of 100 payments have failed for 25 minutes",
        1_500,
        {'payment_processed_total{status="failed"}': 0.15, 'payment_processed_total{status="success"}': 0.85},
    ),
    "BillingPaymentFailureRateCritical": Incident(
        "30 of 100 payments have failed for 20 minutes",
        1_200,
        {'payment_processed_total{status="failed"}': 0.3, 'payment_processed_total{status="success"}': 0.7},
        fires_after_seconds=_LATER_SECONDS,
    ),
    "StripeWebhookFailureRateHigh": Incident(
        "15 of 100 webhooks have failed for 25 minutes",
        1_500,
        {"stripe_webhook_failed_total{}": 0.15, "stripe_webhook_received_total{}": 1.0},
    ),
    "StripeWebhookProcessingDurationHigh": Incident(
        "10 of 100 webhooks have taken between 1 and 5 seconds for 30 minutes",
        1_800,
        histogram=("stripe_webhook_received_duration_milliseconds", 0.9, 1000),
    ),
    "StripeWebhooksStalled": Incident(
        "no webhook has come for 7 hours", 25_200, {"stripe_webhook_received_total{}": 0.0}, step_seconds=60
    ),
    "SubscriptionCancellationRateHigh": Incident(
        "for a day there have been 15 cancellations for every 100 new subscriptions",
        93_600,
        {
            "subscription_cancelled_total{}": 0.015,
            'subscription_created_total{status="success"}': 0.1,
        },
        step_seconds=60,
    ),
    "BillingCreditGrantAnomalyDetected": Incident(
        "5 of 100 credit grants have been of 1000 to 5000 credits for 15 minutes",
        900,
        histogram=("credits_added_quantity", 0.95, 1000),
    ),
}


def provide(folder: Path, promtool: Path, rules: Iterable[ReferenceRule], now: float) -> None:
    """Put the incidents of these rules' alerts up to `now` into `folder`, an empty TSDB folder that is made
    if need be. Raises LabError where promtool fails.
    """
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        text = Path(scratch) / "samples"
        with text.open("w", encoding="utf-8") as file:
            for rule in rules:
                file.writelines(_samples(rule, INCIDENTS[rule.name], int(now)))
            file.write("# EOF\n")
        command: list[str | Path] = [promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
        command += ["--max-block-duration=360h", text, folder]
        made = subprocess.run(command, capture_output=True, text=True, timeout=PROMTOOL_SECONDS, check=False)
    if made.returncode:
        raise LabError(
            "promtool cannot make the incidents", where=str(promtool), hint=made.stderr.strip()[-500:]
        )


def _samples(rule: ReferenceRule, incident: Incident, now: int) -> Iterator[str]:
    times = range(now - incident.lasted_seconds, now + 1, incident.step_seconds)
    for series, per_second in incident.counters.items():
        name, _, labels = series.partition("{")
        yield from _lines(name, labels.rstrip("}"), rule.name, per_second, times)
    if incident.histogram:
        family, within, threshold = incident.histogram
        for bound in (*FAMILIES[family].buckets, math.inf):
            le = "+Inf" if bound == math.inf else str(bound)
            share = within if bound <= threshold else 1.0
            yield from _lines(f"{family}_bucket", f'le="{le}"', rule.name, share, times)
    if rule.for_seconds:
        yield from _pending(rule, incident, now)


def _pending(rule: ReferenceRule, incident: Incident, now: int) -> Iterator[str]:
    """Since when the alert is pending, as Prometheus has noted it."""
    left = incident.fires_after_seconds or -_FULFILLED_SECONDS
    labels = {"alertname": rule.name, "job": job(rule.name), **rule.labels}
    told = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    since = now + left - rule.for_seconds
    for at in range(now - _NOTED_SECONDS, now + 1, 15):
        yield f"ALERTS_FOR_STATE{{{told}}} {since:.0f} {at}\n"


def job(alert: str) -> str:
    """The job under which the incident of this alert is."""
    return f"incident-{alert}"


def _lines(name: str, labels: str, alert: str, per_second: float, times: range) -> Iterator[str]:
    everything = ",".join(part for part in (labels, f'job="{job(alert)}"') if part)
    for at in times:
        yield f"{PREFIX}{name}{{{everything}}} {per_second * (at - times[0]) + 1:.3f} {at}\n"
