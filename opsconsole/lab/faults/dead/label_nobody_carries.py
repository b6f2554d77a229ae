"""An alert selects by a label that no series carries: state, where the service says status."""

from opsconsole.lab.faults import Fault

FAILED = "rsolv_billing_stripe_webhook_failed_total[5m]"
BY_STATE = 'rsolv_billing_stripe_webhook_received_total{state="failed"}[5m]'

FAULT = Fault(
    breaks=lambda lab: lab.rules((FAILED, BY_STATE), reference=True),
    shows={"rules": "StripeWebhookFailureRateHigh: can never fire: .*carries the label state"},
    follows={"thresholds": "StripeWebhookFailureRateHigh.*the label state"},
)
