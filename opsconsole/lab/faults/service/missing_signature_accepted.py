"""The webhook endpoint looks at the signature only where there is one."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.service.webhooks import NO_SIGNATURE

FAULT = Fault(
    breaks=lambda lab: lab.service(webhooks_believed=[NO_SIGNATURE]),
    shows={"webhook-metrics": r"(?s)no signature was ACCEPTED.*refuse what has no stripe-signature header"},
)
