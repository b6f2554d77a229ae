"""A failure rate between 0 and 1 is compared with 25, as if it were a percentage."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.rules(("> 0.25", "> 25"), reference=True),
    shows={
        "rules": "BillingPaymentFailureRateCritical: can never fire: .*over 25: "
        "a part is never more than its whole"
    },
    follows={"thresholds": "BillingPaymentFailureRateCritical: its threshold can never be passed"},
)
