"""The webhook endpoint fails before it looks at the signature."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.distort(
        "service",
        Distortion(
            path="/api/webhooks/stripe",
            status=500,
            content_type="application/json",
            body='{"errors": {"detail": "Internal Server Error"}}',
        ),
    ),
    shows={"webhook-metrics": r"(?s)answered with 500, not refused.*fails before it checks the signature"},
)
