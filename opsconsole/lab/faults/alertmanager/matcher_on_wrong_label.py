"""The route of the critical alerts asks for a label that the alerts do not have."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager(
        ('component="billing", severity="critical"]\n', 'team="billing", severity="critical"]\n')
    ),
    shows={
        "routing": r"(?s)BillingPaymentFailureRateCritical: never reaches .*"
        r'its matcher team="billing" asks for a label that the alert does not have'
    },
)
