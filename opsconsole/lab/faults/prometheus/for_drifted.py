"""An alert must hold for ten hours before it fires, and not for ten minutes: a letter was mistyped."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.rules(("for: 10m", "for: 10h")),
    shows={"rules": r"(?s)BillingPaymentFailureRateCritical: differs.*-for: 600 s.*\+for: 36000 s"},
)
