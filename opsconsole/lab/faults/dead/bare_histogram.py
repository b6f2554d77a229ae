"""An alert takes a quantile of a histogram's bare name, which has no series: _bucket is missing."""

from opsconsole.lab.faults import Fault

BARE = "rsolv_billing_stripe_webhook_received_duration_milliseconds"

FAULT = Fault(
    breaks=lambda lab: lab.rules((f"{BARE}_bucket[5m]", f"{BARE}[5m]"), reference=True),
    shows={"rules": rf"StripeWebhookProcessingDurationHigh: can never fire: .*histogram[\s\S]*{BARE}_bucket"},
    follows={"thresholds": "StripeWebhookProcessingDurationHigh.*histogram"},
)
