"""A recording rule is evaluated once an hour: five minutes later the alert that rests on it sees nothing."""

from opsconsole.lab.faults import Fault

FAILED = 'sum by (job) (rate(rsolv_billing_payment_processed_total{status="failed"}[5m]))'
NAME = "job:billing_payments_failed:rate5m"
RECORDED = f"""
  - name: billing-recorded
    interval: 1h
    rules:
      - record: {NAME}
        expr: {FAILED}
"""

FAULT = Fault(
    breaks=lambda lab: lab.rules((FAILED, NAME), more=RECORDED, reference=True),
    shows={"rules": f"BillingPaymentFailureRateCritical: rests on {NAME}, which is recorded every 1 h"},
    follows={"thresholds": NAME},
)
