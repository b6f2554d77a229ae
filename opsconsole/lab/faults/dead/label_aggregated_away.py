"""An alert's sum drops the label le, without which there is no quantile."""

from opsconsole.lab.faults import Fault

SUMMED = "(rate(rsolv_billing_credits_added_quantity_bucket"

FAULT = Fault(
    breaks=lambda lab: lab.rules((f"sum by (job, le) {SUMMED}", f"sum by (job) {SUMMED}"), reference=True),
    shows={"rules": r"BillingCreditGrantAnomalyDetected: can never fire: .*\ble\b"},
    follows={"thresholds": r"BillingCreditGrantAnomalyDetected.*\ble\b"},
)
