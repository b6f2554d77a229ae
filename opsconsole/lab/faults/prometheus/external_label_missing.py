"""The external label `environment` is gone: nobody can tell production's alerts from those of staging."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.prometheus(("  external_labels:\n    environment: lab\n", "")),
    shows={"routing": r'7 alerts leave Prometheus without environment="lab"'},
)
