"""The panels choose by $job, a variable that the dashboard does not define."""

from opsconsole.lab.faults import Fault

CAUSE = "the variable job has no value"

FAULT = Fault(
    breaks=lambda lab: lab.dashboard(
        ("payment_processed_total[5m]", 'payment_processed_total{job=\\"$job\\"}[5m]'), reference=True
    ),
    shows={"panels": f"Payment Success Rate: query error: {CAUSE}"},
    follows={"dashboard": f"Payment Success Rate: its query fails: {CAUSE}"},
)
