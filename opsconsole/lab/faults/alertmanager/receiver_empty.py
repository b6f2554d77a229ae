"""The critical alerts go to a new receiver, in which nobody has put an address yet."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager(
        ("      receiver: billing-critical\n", "      receiver: incident-room\n"),
        ("receivers:\n", "receivers:\n  - name: incident-room\n"),
    ),
    shows={
        "routing": r"(?s)BillingPaymentFailureRateCritical: never reaches .*"
        r"incident-room: nobody, it has no integration"
    },
)
