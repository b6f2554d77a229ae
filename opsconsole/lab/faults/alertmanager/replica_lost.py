"""Of the two Alertmanagers of a cluster one is lost."""

from opsconsole.lab import parts, processes
from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    ours = parts.address(lab.lab.alertmanager_url)
    with processes.free_ports(3) as ports:
        other, our_peer, other_peer = (f"127.0.0.1:{port}" for port in ports)
        listen, quickly = "--cluster.listen-address=", "--cluster.gossip-interval=20ms"
        lab.restart("alertmanager", f"{listen}{our_peer}", quickly)
        argv = parts.alertmanager(lab.lab, lab.servers(), storage=lab.beside("replica"), address=other)
        argv = [flag for flag in argv if flag != listen]
        joins = [f"{listen}{other_peer}", f"--cluster.peer={our_peer}", quickly]
        lab.start("replica", [*argv, *joins], f"http://{other}/-/ready")
    lab.prometheus((f'["{ours}"]', f'["{ours}", "{other}"]'))
    known = f"{lab.lab.prometheus_url}/api/v1/alertmanagers"
    lab.until(lambda: len(lab.ask(known)["data"]["activeAlertmanagers"]) == 2, "Prometheus to know both")
    lab.until(lambda: _cluster(lab) == ("ready", 2), "the cluster to be whole")
    lab.stop("replica")
    lab.until(lambda: _cluster(lab) == ("ready", 1), "the cluster to miss one")


def _cluster(lab: Workshop) -> tuple[str, int]:
    told = lab.ask(f"{lab.lab.alertmanager_url}/api/v2/status")["cluster"]
    return told["status"], len(told["peers"])


FAULT = Fault(
    breaks=breaks,
    shows={
        "routing": "Prometheus sends to 2 Alertmanagers, and this one sees a cluster of 1, itself included"
    },
)
