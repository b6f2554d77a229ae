"""The webhook endpoint takes anything for Stripe's: it does not look at the signature."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.service.webhooks import ANYTHING

FAULT = Fault(
    breaks=lambda lab: lab.service(webhooks_believed=[ANYTHING]),
    shows={"webhook-metrics": r"(?s)invalid signature was ACCEPTED \(status 200\).*verify the signature"},
)
