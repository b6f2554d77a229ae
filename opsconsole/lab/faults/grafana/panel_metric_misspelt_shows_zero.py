"""A panel misspells its metric and puts 0 in the place of no data: there is never a failed payment."""

from opsconsole.lab.faults import Fault

GOOD, BAD = "rsolv_billing_invoice_failed_total", "rsolv_billing_invoices_failed_total"

FAULT = Fault(
    breaks=lambda lab: lab.dashboard(
        (
            f"sum by (failure_code) (increase({GOOD}[$__range]))",
            f"sum(increase({BAD}[$__range])) or vector(0)",
        ),
        reference=True,
    ),
    shows={"panels": f"(?s)Failed Payments by Reason: .*{BAD} is exported by nobody.*{GOOD}"},
)
