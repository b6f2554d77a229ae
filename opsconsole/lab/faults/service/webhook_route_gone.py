"""A new release has moved the webhook endpoint: Stripe gets a 404."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.distort(
        "service",
        Distortion(
            path="/api/webhooks/stripe",
            status=404,
            content_type="application/json",
            body='{"errors": {"detail": "Not Found"}}',
        ),
    ),
    shows={"webhook-metrics": "nothing is at .*/api/webhooks/stripe.* answered with 404"},
)
