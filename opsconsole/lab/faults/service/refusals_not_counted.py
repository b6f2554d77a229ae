"""The webhook controller counts what it handles, and nothing of what it refuses."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault

COUNTED = (
    r'^(rsolv_billing_stripe_webhook_\w+_total\{event_type="test",.*\}) \S+$',
    r"\1 0.0",
)

FAULT = Fault(
    breaks=lambda lab: lab.distort("service", Distortion(path="/metrics", replaced=(COUNTED,))),
    shows={
        "webhook-metrics": "(?s)webhook_received_total: did not move, though the webhook was refused with 400"
        ".*webhook_failed_total: did not move.*emit the telemetry event also where it refuses"
    },
)
