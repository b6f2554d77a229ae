"""Prometheus knows of no Alertmanager: a merge has emptied the list."""

from opsconsole.lab import parts
from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    ours = parts.address(lab.lab.alertmanager_url)
    lab.prometheus((f'- targets: ["{ours}"]', "- targets: []"))
    known = f"{lab.lab.prometheus_url}/api/v1/alertmanagers"
    lab.until(lambda: not lab.ask(known)["data"]["activeAlertmanagers"], "Prometheus to know none")


FAULT = Fault(breaks=breaks, shows={"routing": "Prometheus knows no Alertmanager: no alert leaves it"})
