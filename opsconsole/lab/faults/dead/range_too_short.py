"""An alert takes a rate over half a second, and the service is scraped once a second."""

from opsconsole.lab.faults import Fault

FAILED = "rate(rsolv_billing_stripe_webhook_failed_total"

FAULT = Fault(
    breaks=lambda lab: lab.rules((f"{FAILED}[5m]", f"{FAILED}[500ms]"), reference=True),
    shows={
        "rules": "StripeWebhookFailureRateHigh: can never fire: rate needs two samples, "
        "and a range of 500ms never"
    },
    follows={"thresholds": "StripeWebhookFailureRateHigh.*rate needs two samples"},
)
