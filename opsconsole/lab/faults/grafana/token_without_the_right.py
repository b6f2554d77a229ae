"""The service account may read dashboards, and no longer query data sources."""

import json

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault
from opsconsole.model import Outcome

MISSING = "Permissions needed: datasources:query"
DENIED = Distortion(
    path="/api/ds/query|/api/datasources/uid/[^/]+/health",
    status=403,
    content_type="application/json",
    body=json.dumps(
        {
            "accessErrorId": "ACE4281650379",
            "message": f"You'll need additional permissions to perform this action. {MISSING}",
            "title": "Access denied",
        }
    ),
)

FAULT = Fault(
    breaks=lambda lab: lab.distort("grafana", DENIED),
    shows={"dashboard": f"answered 403: .*{MISSING}", "panels": f"answered 403: .*{MISSING}"},
    outcome=Outcome.UNKNOWN,
)
