"""A panel that shows each plan shows the sum of all: `by (plan)` was taken out of its query."""

from opsconsole.lab.faults import Fault

RATE = "(rate(rsolv_billing_usage_tracked"

FAULT = Fault(
    breaks=lambda lab: lab.dashboard((f"sum by (plan) {RATE}", f"sum{RATE}")),
    shows={
        "dashboard": "(?s)Usage Tracking: differs from the reference in its queries.*"
        r"-sum by \(plan\).*[+]sum\("
    },
)
