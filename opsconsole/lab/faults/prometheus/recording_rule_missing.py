"""An alert rests on a recording rule that is not loaded: its file was never named under rule_files."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

FAILED = 'sum by (job) (rate(rsolv_billing_payment_processed_total{status="failed"}[5m]))'


def breaks(lab: Workshop) -> None:
    lab.rules((FAILED, "job:billing_payments_failed:rate5m"), reference=True)


FAULT = Fault(
    breaks=breaks,
    shows={
        "rules": r"BillingPaymentFailureRateHigh: can never fire: job:billing_payments_failed:rate5m is "
        r"exported by nobody[\s\S]*no rule that is loaded records job:billing_payments_failed:rate5m"
    },
    follows={"thresholds": "job:billing_payments_failed:rate5m"},
)
