"""Two rules have one name, and one of them has another threshold."""

from opsconsole.lab.faults import Fault

TWIN = """
  - name: billing-experiment
    rules:
      - alert: BillingPaymentFailureRateCritical
        expr: |
          sum by (job) (rate(rsolv_billing_payment_processed_total{status="failed"}[5m]))
            /
          sum by (job) (rate(rsolv_billing_payment_processed_total[5m]))
            > 0.75
        for: 10m
        labels:
          severity: critical
          component: billing
          subsystem: payment
"""

FAULT = Fault(
    breaks=lambda lab: lab.rules(more=TWIN),
    shows={
        "rules": r"(?s)BillingPaymentFailureRateCritical: is loaded once more.*billing-experiment.*\+  0\.75"
    },
)
