"""Prometheus was copied from staging with its external labels: its alerts say that they are staging's."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.prometheus(("    environment: lab\n", "    environment: staging\n")),
    shows={"routing": r'without environment="lab", with environment="staging" instead'},
)
