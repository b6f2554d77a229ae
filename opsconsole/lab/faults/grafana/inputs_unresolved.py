"""The dashboard was imported without its inputs: its panels point to ${DS_PROMETHEUS}."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

CAUSE = r"\$\{DS_PROMETHEUS\}.*was never filled in"


def breaks(lab: Workshop) -> None:
    wanted = {"name": "DS_PROMETHEUS", "label": "Prometheus", "type": "datasource", "pluginId": "prometheus"}
    lab.dashboard(("${datasource}", "${DS_PROMETHEUS}"))
    lab.save_board({**lab.board(), "__inputs": [wanted]})


FAULT = Fault(breaks=breaks, shows={"dashboard": CAUSE}, follows={"panels": CAUSE})
