"""One of the two people whom a critical alert should wake has been taken out of its receiver."""

from opsconsole.lab.faults import Fault

MAIL = "      - to: billing-oncall@rsolv.dev\n        send_resolved: true\n        text: *mail\n"

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager((MAIL, "")),
    shows={
        "routing": r"(?s)BillingPaymentFailureRateCritical: never reaches billing-oncall@rsolv\.dev\n.*"
        r"no receiver has billing-oncall@rsolv\.dev"
    },
)
