"""The limit of a group is lower than the number of series that its recording rule brings: it brings none."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

FAILED = 'sum by (job) (rate(rsolv_billing_payment_processed_total{status="failed"}[5m]))'
RECORDED = """
  - name: billing-recorded
    limit: 1
    rules:
      - record: job_status:billing_payments:rate5m
        expr: sum by (job, status) (rate(rsolv_billing_payment_processed_total[5m]))
"""


def breaks(lab: Workshop) -> None:
    recorded = 'sum by (job) (job_status:billing_payments:rate5m{status="failed"})'
    lab.rules((FAILED, recorded), more=RECORDED, reference=True)
    lab.rule_fails()


FAULT = Fault(
    breaks=breaks,
    shows={
        "rules": "job_status:billing_payments:rate5m: the recording rule fails to evaluate: exceeded limit"
    },
    follows={"thresholds": "job_status:billing_payments:rate5m"},
)
