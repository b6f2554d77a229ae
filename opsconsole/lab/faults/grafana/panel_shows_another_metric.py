"""A panel shows another metric than its title says: its query was replaced while somebody tried something."""

from opsconsole.lab.faults import Fault

MEANT = "sum(rate(rsolv_billing_credits_consumed_total[$__rate_interval]))"

FAULT = Fault(
    breaks=lambda lab: lab.dashboard((MEANT, "up")),
    shows={
        "dashboard": "(?s)Credit System Overview: differs from the reference in its queries.*"
        r"-sum\(rate\(rsolv_billing_credits_consumed_total.*[+]up"
    },
)
