"""The severity of the critical alert is misspelt, in the rules and in their reference: no route takes it."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.rules(("severity: critical", "severity: citical"), reference=True),
    shows={"routing": r"BillingPaymentFailureRateCritical: never reaches .*oncall[\s\S]*severity.*citical"},
)
