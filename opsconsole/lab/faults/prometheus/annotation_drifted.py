"""The runbook link of an alert was lost on the server: its mail says no longer what to do."""

from opsconsole.lab.faults import Fault

LINK = "          runbook_url: runbooks/BillingPaymentFailureRateCritical.md\n"

FAULT = Fault(
    breaks=lambda lab: lab.rules((LINK, "")),
    shows={"rules": r"(?s)BillingPaymentFailureRateCritical: differs.*-annotation runbook_url: runbooks/"},
)
