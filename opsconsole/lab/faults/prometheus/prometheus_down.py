"""Prometheus is down."""

from opsconsole.lab.faults import Fault
from opsconsole.model import Outcome

REFUSED = "prometheus .*connection refused"

FAULT = Fault(
    breaks=lambda lab: lab.stop("prometheus"),
    shows=dict.fromkeys(("scraping", "retention", "rules", "thresholds", "routing"), REFUSED),
    follows={
        "plugin": REFUSED,
        "webhook-metrics": REFUSED,
        "dashboard": "(?i)prometheus",
        "panels": "(?i)prometheus",
    },
    outcome=Outcome.UNKNOWN,
)
