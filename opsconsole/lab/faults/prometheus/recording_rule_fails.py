"""A recording rule fails, for its own label makes its series all alike; an alert rests on it."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

FAILED = 'rate(rsolv_billing_payment_processed_total{status="failed"}[5m])'
CHANGE = (f"sum by (job) ({FAILED})", "sum by (job) (job_method:billing_failed_payments:rate5m)")
RECORDED = f"""
  - name: billing-recorded
    rules:
      - record: job_method:billing_failed_payments:rate5m
        expr: sum by (job, payment_method) ({FAILED.replace("failed", "success")})
        labels:
          payment_method: any
"""


def breaks(lab: Workshop) -> None:
    lab.rules(CHANGE, more=RECORDED, reference=True)
    lab.rule_fails()


FAULT = Fault(
    breaks=breaks,
    shows={
        "rules": r"job_method:\S+: the recording rule fails to evaluate: .*same labelset.*\s+"
        "without it cannot fire: BillingPaymentFailureRateHigh, BillingPaymentFailureRateCritical"
    },
    follows={"thresholds": "no series of job_method:billing_failed_payments:rate5m"},
)
