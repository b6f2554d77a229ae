"""Grafana is down."""

from opsconsole.lab.faults import Fault
from opsconsole.model import Outcome

FAULT = Fault(
    breaks=lambda lab: lab.stop("grafana"),
    shows={"dashboard": "connection refused"},
    follows={"panels": "connection refused"},
    outcome=Outcome.UNKNOWN,
)
