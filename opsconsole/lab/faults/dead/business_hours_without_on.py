"""An alert is kept to business hours by `and hour()`, which has no labels and so matches no series."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.rules(("> 0.25", "> 0.25 and hour() > 8"), reference=True),
    shows={"rules": r"BillingPaymentFailureRateCritical: can never fire: .*no labels[\s\S]*on ?\(\)"},
)
