"""An alert that joins a group which was notified already waits three days until it is sent."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager(("group_interval: 5m", "group_interval: 3d")),
    shows={
        "routing": r"BillingPaymentFailureRateCritical: is repeated every 3 d only.*its group_interval is 3 d"
    },
)
