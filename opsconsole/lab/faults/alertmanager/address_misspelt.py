"""The address of one of the people on call is misspelt."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager(("- to: billing-oncall@rsolv.dev", "- to: billing-oncal@rsolv.dev")),
    shows={
        "routing": r"(?s)BillingPaymentFailureRateCritical: never reaches billing-oncall@rsolv\.dev.*"
        r"billing-oncal@rsolv\.dev is almost billing-oncall@rsolv\.dev: is it misspelt\?"
    },
)
