"""Somebody has deleted the dashboard."""

from opsconsole.lab.faults import Fault

NONE = "there is no dashboard with the uid billing-metrics"

FAULT = Fault(
    breaks=lambda lab: lab.grafana("/api/dashboards/uid/billing-metrics", method="DELETE"),
    shows={"dashboard": NONE},
    follows={"panels": NONE},
)
