"""Prometheus speaks TLS to an Alertmanager that does not: it knows it, and no alert gets there."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    lab.prometheus(("    - static_configs:\n", "    - scheme: https\n      static_configs:\n"))
    known = f"{lab.lab.prometheus_url}/api/v1/alertmanagers"
    lab.until(lambda: "https" in str(lab.ask(known)["data"]["activeAlertmanagers"]), "Prometheus to know it")


FAULT = Fault(
    breaks=breaks,
    shows={"routing": "Prometheus sends to https://.*, and Alertmanager answers at http://"},
)
