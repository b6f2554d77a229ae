"""An alert takes a rate over one second, and the service is scraped once a second."""

from opsconsole.lab.faults import Fault

FAILED = "rate(rsolv_billing_stripe_webhook_failed_total"

FAULT = Fault(
    breaks=lambda lab: lab.rules((f"{FAILED}[5m]", f"{FAILED}[1s]"), reference=True),
    shows={"rules": "StripeWebhookFailureRateHigh: looks back 1 s at .*, which is scraped every 1 s"},
    follows={"thresholds": "StripeWebhookFailureRateHigh .looks back 1 s at .*, which is scraped every 1 s"},
)
