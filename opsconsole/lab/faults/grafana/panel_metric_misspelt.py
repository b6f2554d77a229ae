"""A panel's query misspells its metric."""

from opsconsole.lab.faults import Fault

GOOD, BAD = "rsolv_billing_invoice_failed_total", "rsolv_billing_invoices_failed_total"

FAULT = Fault(
    breaks=lambda lab: lab.dashboard((GOOD, BAD)),
    shows={
        "panels": f"(?s)Failed Payments by Reason: can never have data: {BAD} is exported by nobody.*{GOOD}"
    },
    follows={"dashboard": "Failed Payments by Reason: differs from the reference in its queries"},
)
