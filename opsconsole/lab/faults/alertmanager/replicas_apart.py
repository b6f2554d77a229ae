"""Prometheus sends to two Alertmanagers that know nothing of each other."""

from opsconsole.lab import parts, processes
from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    ours = parts.address(lab.lab.alertmanager_url)
    with processes.free_ports(1) as [port]:
        other = f"127.0.0.1:{port}"
        argv = parts.alertmanager(lab.lab, lab.servers(), storage=lab.beside("replica"), address=other)
        lab.start("replica", argv, f"http://{other}/-/ready")
    lab.prometheus((f'["{ours}"]', f'["{ours}", "{other}"]'))
    known = f"{lab.lab.prometheus_url}/api/v1/alertmanagers"
    lab.until(lambda: len(lab.ask(known)["data"]["activeAlertmanagers"]) == 2, "Prometheus to know both")


FAULT = Fault(
    breaks=breaks,
    shows={"routing": "Prometheus sends to 2 Alertmanagers, and this one is in no cluster:"},
)
