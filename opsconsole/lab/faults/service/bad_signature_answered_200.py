"""Something in front of the webhook endpoint answers 200 to everything, and passes nothing on."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.distort(
        "service",
        Distortion(path="/api/webhooks/stripe", content_type="application/json", body='{"received": true}'),
    ),
    shows={"webhook-metrics": r"with an invalid signature was ACCEPTED \(status 200\)"},
)
