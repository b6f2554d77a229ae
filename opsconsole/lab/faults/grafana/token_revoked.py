"""The token for Grafana was revoked."""

import json

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault
from opsconsole.model import Outcome

WORDS = "answered 401: .*Invalid API key"
REVOKED = Distortion(
    path="/api/(?!health).*",
    status=401,
    content_type="application/json",
    body=json.dumps(
        {"message": "Invalid API key", "messageId": "api-key.invalid", "statusCode": 401, "traceID": ""}
    ),
)

FAULT = Fault(
    breaks=lambda lab: lab.distort("grafana", REVOKED),
    shows={"dashboard": WORDS, "panels": WORDS},
    outcome=Outcome.UNKNOWN,
)
