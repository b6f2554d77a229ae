"""The critical alert has lost its label severity on the server: no route for critical alerts takes it."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.rules(("          severity: critical\n", "")),
    shows={"rules": r"BillingPaymentFailureRateCritical: differs[\s\S]*-labels: .*severity=critical"},
    follows={"routing": "BillingPaymentFailureRateCritical: never reaches .*billing-oncall[\\s\\S]*severity"},
)
