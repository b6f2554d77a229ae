"""The critical billing alerts go also to somebody who should not have them."""

from opsconsole.lab.faults import Fault

ONCALL = "- to: billing-oncall@rsolv.dev"

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager((ONCALL, f"- to: former-colleague@example.com\n      {ONCALL}")),
    shows={"routing": r"BillingPaymentFailureRateCritical: also reaches former-colleague@example\.com"},
)
