"""A critical alert that nobody answers is repeated after two days, not after two hours."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager(("repeat_interval: 2h", "repeat_interval: 2d")),
    shows={"routing": r"BillingPaymentFailureRateCritical: repeat_interval is 2 d, not 2h"},
)
