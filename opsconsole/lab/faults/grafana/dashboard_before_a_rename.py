"""The dashboard has all its panels, and one query from before its metric was renamed."""

from opsconsole.lab.faults import Fault

OLD = "rsolv_billing_credits_used_total"

FAULT = Fault(
    breaks=lambda lab: lab.dashboard(("rsolv_billing_credits_consumed_total", OLD), reference=True),
    shows={
        "panels": f"Credit System Overview: a query of it can never have data: {OLD} is exported by nobody"
    },
)
