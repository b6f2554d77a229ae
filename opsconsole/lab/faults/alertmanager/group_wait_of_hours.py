"""A critical alert waits ten hours for others of its group before it is sent."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager(("group_wait: 10s", "group_wait: 10h")),
    shows={"routing": r"BillingPaymentFailureRateCritical: group_wait is 10 h, not 10s"},
)
