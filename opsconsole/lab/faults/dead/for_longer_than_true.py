"""An alert must hold for twelve hours, and is true in the eight of business alone."""

from opsconsole.lab.faults import Fault

HOURS = "and on () (hour() >= 9 and hour() < 17)"

FAULT = Fault(
    breaks=lambda lab: lab.rules(("> 0.25", f"> 0.25 {HOURS}"), ("for: 10m\n", "for: 12h\n"), reference=True),
    shows={"rules": "BillingPaymentFailureRateCritical: can never fire: .*8 ?h.*12 ?h"},
)
