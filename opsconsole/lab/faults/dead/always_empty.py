"""An alert reads a classic histogram with a function for native ones, which gives nothing for it."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

BUCKETS = "rate(rsolv_billing_credits_added_quantity_bucket[5m])"
CLASSIC = f"""histogram_quantile(
            0.99,
            sum by (job, le) ({BUCKETS})
          )"""


def breaks(lab: Workshop) -> None:
    native = f"histogram_sum({BUCKETS}) / histogram_count({BUCKETS})"
    lab.rules((CLASSIC, native), reference=True)


FAULT = Fault(
    breaks=breaks,
    shows={"rules": "BillingCreditGrantAnomalyDetected: can never fire: .*native histogram"},
    follows={"thresholds": "BillingCreditGrantAnomalyDetected.*native histogram"},
)
