"""Grafana's own database is locked."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.distort(
        "grafana",
        Distortion(path="/api/health", status=503, replaced=(('"ok"', '"failing"'),)),
        Distortion(
            path="/api/dashboards/.*",
            status=500,
            content_type="application/json",
            body='{"message": "Failed to get dashboard", "traceID": ""}',
        ),
    ),
    shows={"dashboard": "Grafana's database is failing"},
    follows={"panels": "Grafana's database is failing|Failed to get dashboard"},
)
