"""The last change of Alertmanager's configuration was refused: the old one runs, until the next restart."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager(("receiver: billing-info", "receiver: biling-info"), accepted=False),
    shows={
        "routing": r"the last reload of alertmanager\.yml was refused: the configuration before it still runs"
    },
)
