"""Slack answers 200, and in it that there is no such channel."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault

ANSWER = Distortion(
    path="/slack", body='{"ok":false,"error":"channel_not_found"}', content_type="application/json"
)

FAULT = Fault(
    breaks=lambda lab: lab.distort("inbox", ANSWER),
    alert="StripeWebhookFailureRateHigh",
    shows={
        "StripeWebhookFailureRateHigh": r"nothing for slack #billing-alerts; slack is given up "
        r"at the first try.* its webhook, key or channel is wrong"
        r"|Alertmanager has handed it over, and nothing came for slack #billing-alerts"
    },
    unseen="slack #billing-alerts.* get theirs was not looked at",
)
