"""An alert fires on for a day after it is over: `keep_firing_for` was added on the server."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.rules(("for: 10m", "for: 10m\n        keep_firing_for: 1d")),
    shows={"rules": r"(?s)BillingPaymentFailureRateCritical: differs.*\+keep_firing_for: 86400 s"},
)
