"""The route of the critical alerts asks for severity="Critical", and the alerts say critical."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager(
        ('severity="critical"]\n      receiver', 'severity="Critical"]\n      receiver')
    ),
    shows={
        "routing": r"(?s)BillingPaymentFailureRateCritical: never reaches .*"
        r'its matcher severity="Critical" does not pass severity="critical", whose case differs'
    },
)
