"""The expression of a recording rule was changed on the server; the alert that rests on it was not."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

FAILED = 'sum by (job) (rate(rsolv_billing_payment_processed_total{status="failed"}[5m]))'
NAME = "job:billing_payments_failed:rate5m"
RECORDED = f"""
  - name: billing-recorded
    rules:
      - record: {NAME}
        expr: {FAILED}
"""


def breaks(lab: Workshop) -> None:
    lab.rules((FAILED, NAME), more=RECORDED, reference=True)
    lab.rules((RECORDED, RECORDED.replace("[5m]", "[1h]")))
    lab.until(lambda: lab.queried(NAME), "the series to be recorded")


FAULT = Fault(
    breaks=breaks,
    shows={"rules": rf"{NAME}: differs from the reference[\s\S]*-.*\[5m\][\s\S]*\+.*\[1h\]"},
    follows={"thresholds": NAME},
)
