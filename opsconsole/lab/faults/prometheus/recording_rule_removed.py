"""A recording rule that an alert rests on was removed: its series are in the history, and end there."""

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
    lab.until(lambda: lab.queried(NAME), "the series to be recorded")
    lab.rules((RECORDED, ""))
    lab.until(lambda: not lab.queried(f"last_over_time({NAME}[3s])"), "the series to be old")


FAULT = Fault(
    breaks=breaks,
    shows={"rules": f"{NAME}: is not loaded"},
    follows={"thresholds": NAME},
)
