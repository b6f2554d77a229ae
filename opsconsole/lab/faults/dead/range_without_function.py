"""An alert's function was lost and its range was left: Prometheus loads it, and fails at every evaluation."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

INCREASE = "sum by (job) (increase(rsolv_billing_stripe_webhook_received_total[6h])) == 0"
ABSENT = "absent_over_time(rsolv_billing_stripe_webhook_received_total[6h])"


def breaks(lab: Workshop) -> None:
    left = "rsolv_billing_stripe_webhook_received_total[6h]"
    lab.rules((f"{INCREASE}\n            or\n          {ABSENT}", left), reference=True)
    lab.rule_fails()


FAULT = Fault(
    breaks=breaks,
    shows={"rules": "StripeWebhooksStalled: fails to evaluate: rule result is not a vector or scalar"},
    follows={"thresholds": "StripeWebhooksStalled: fails to evaluate"},
)
