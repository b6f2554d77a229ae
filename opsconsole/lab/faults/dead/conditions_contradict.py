"""An alert wants a duration over one second and under half of one, both at once."""

from opsconsole.lab.faults import Fault

QUANTILE = "rate(rsolv_billing_stripe_webhook_received_duration_milliseconds_bucket[5m]))\n          )"

FAULT = Fault(
    breaks=lambda lab: lab.rules((f"{QUANTILE} > 1000", f"{QUANTILE} > 1000 < 500"), reference=True),
    shows={"rules": "StripeWebhookProcessingDurationHigh: can never fire: .*1000.*500"},
    follows={"thresholds": "StripeWebhookProcessingDurationHigh.*1000.*500"},
)
