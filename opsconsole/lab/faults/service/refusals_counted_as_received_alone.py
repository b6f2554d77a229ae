"""A refused webhook is counted as received, and not as failed."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault

FAILED = (r'^(rsolv_billing_stripe_webhook_failed_total\{event_type="test",.*\}) \S+$', r"\1 0.0")

FAULT = Fault(
    breaks=lambda lab: lab.distort("service", Distortion(path="/metrics", replaced=(FAILED,))),
    shows={"webhook-metrics": "webhook_failed_total: did not move, though the webhook was refused with 400"},
)
