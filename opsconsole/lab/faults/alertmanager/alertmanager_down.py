"""Alertmanager is down."""

from opsconsole.lab.faults import Fault
from opsconsole.model import Outcome

FAULT = Fault(
    breaks=lambda lab: lab.stop("alertmanager"),
    shows={"routing": "alertmanager .*connection refused"},
    follows={"test-email": "alertmanager .*connection refused"},
    outcome=Outcome.UNKNOWN,
)
