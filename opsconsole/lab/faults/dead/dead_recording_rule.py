"""An alert rests on a recording rule that never has data: it selects by a label that no series carries."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

FAILED = "sum by (job) (rate(rsolv_billing_stripe_webhook_failed_total[5m]))"
RECORDED = "job:stripe_webhook_failures:rate5m"
RULES = "  - name: billing-webhooks\n    rules:\n"
RECORDING = f"""{RULES}      - record: {RECORDED}
        expr: sum by (job) (rate(rsolv_billing_stripe_webhook_received_total{{state="failed"}}[5m]))
"""


def breaks(lab: Workshop) -> None:
    lab.rules((FAILED, RECORDED), (RULES, RECORDING), reference=True)


FAULT = Fault(
    breaks=breaks,
    shows={"rules": f"StripeWebhookFailureRateHigh: can never fire: .*{RECORDED}.*state"},
    follows={"thresholds": f"StripeWebhookFailureRateHigh.*{RECORDED}"},
)
