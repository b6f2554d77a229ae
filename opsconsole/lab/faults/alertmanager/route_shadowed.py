"""An earlier route takes the critical billing alerts and sends them to the general mailbox."""

from opsconsole.lab.faults import Fault

EARLIER = '  routes:\n    - {matchers: [severity="critical"], receiver: alerts}\n    - matchers: [component='

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager(("  routes:\n    - matchers: [component=", EARLIER)),
    shows={
        "routing": r"(?s)BillingPaymentFailureRateCritical: never reaches admin@rsolv\.dev.*"
        r"billing-critical would reach them, but root → severity=.critical. stands before it"
    },
)
