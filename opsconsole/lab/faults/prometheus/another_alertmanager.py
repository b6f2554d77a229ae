"""Prometheus sends its alerts to another Alertmanager, which nobody looks at any more."""

from opsconsole.lab import parts, processes
from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop
from opsconsole.model import Outcome


def breaks(lab: Workshop) -> None:
    ours = parts.address(lab.lab.alertmanager_url)
    with processes.free_ports(1) as [port]:
        other = f"127.0.0.1:{port}"
        argv = parts.alertmanager(lab.lab, lab.servers(), storage=lab.beside("other"), address=other)
        lab.start("other", argv, f"http://{other}/-/ready")
    lab.prometheus((f'["{ours}"]', f'["{other}"]'))
    known = f"{lab.lab.prometheus_url}/api/v1/alertmanagers"
    lab.until(lambda: other in str(lab.ask(known)["data"]["activeAlertmanagers"]), "Prometheus to know it")


FAULT = Fault(
    breaks=breaks,
    shows={"routing": r"Prometheus sends to http://127\.0\.0\.1:\d+/api/v2/alerts; whether that is http"},
    outcome=Outcome.UNKNOWN,
)
