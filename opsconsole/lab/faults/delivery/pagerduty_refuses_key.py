"""PagerDuty refuses the routing key."""

import json

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault

BODY = {"status": "invalid event", "message": "Event object is invalid", "errors": ["Invalid routing key"]}
ANSWER = Distortion(
    path="/pagerduty/v2/enqueue", status=400, body=json.dumps(BODY), content_type="application/json"
)

FAULT = Fault(
    breaks=lambda lab: lab.distort("inbox", ANSWER),
    alert="BillingPaymentFailureRateCritical",
    shows={
        "BillingPaymentFailureRateCritical": r"nothing for pagerduty .*; pagerduty is given up "
        r"at the first try.* its webhook, key or channel is wrong"
    },
    unseen="pagerduty.* get theirs was not looked at",
)
