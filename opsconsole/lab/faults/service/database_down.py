"""The service's database is down: its webhooks fail, and its health page says why."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault

ILL = '{"status": "degraded", "checks": {"database": "connection refused", "stripe": "ok"}}'

FAULT = Fault(
    breaks=lambda lab: lab.distort(
        "service",
        Distortion(path="/health/billing", status=503, content_type="application/json", body=ILL),
        Distortion(
            path="/api/webhooks/stripe",
            status=503,
            content_type="application/json",
            body='{"errors": {"detail": "Service Unavailable"}}',
        ),
    ),
    shows={
        "webhook-metrics": r'(?s)answered with 503.*service_answers: FAIL.*"database": "connection refused"'
    },
)
