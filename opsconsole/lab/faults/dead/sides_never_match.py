"""An alert divides two metrics without summing them, and their labels differ: no pair of series matches."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

FAILED = "(rate(rsolv_billing_stripe_webhook_failed_total"
RECEIVED = "(rate(rsolv_billing_stripe_webhook_received_total[5m]"


def breaks(lab: Workshop) -> None:
    lab.rules((f"sum by (job) {FAILED}", FAILED), (f"sum by (job) {RECEIVED}", RECEIVED), reference=True)


FAULT = Fault(
    breaks=breaks,
    shows={"rules": "StripeWebhookFailureRateHigh: can never fire: .*failure_reason"},
    follows={"thresholds": "StripeWebhookFailureRateHigh.*failure_reason"},
)
