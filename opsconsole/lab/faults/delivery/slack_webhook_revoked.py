"""Slack's webhook was revoked: it answers 404, no_service."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.distort("inbox", Distortion(path="/slack", status=404, body="no_service")),
    alert="StripeWebhookFailureRateHigh",
    shows={
        "StripeWebhookFailureRateHigh": r"nothing for slack #billing-alerts; slack is given up "
        r"at the first try.* its webhook, key or channel is wrong"
    },
    unseen="slack #billing-alerts.* get theirs was not looked at",
)
