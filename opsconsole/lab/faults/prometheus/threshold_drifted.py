"""The threshold of an alert was raised in Prometheus, and not in the reference."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.rules(("> 0.25", "> 0.52")),
    shows={"rules": r"(?s)BillingPaymentFailureRateCritical: differs from the reference.*\+  0\.52"},
)
