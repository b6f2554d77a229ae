"""The data source leads to the Prometheus of another environment, which has the same metrics."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.grafana import DATASOURCE_UID
from opsconsole.lab.parts import Command
from opsconsole.lab.past import INSTANCE
from opsconsole.lab.processes import free_ports
from opsconsole.lab.workshop import Workshop

STAGING = "staging:9568"


def breaks(lab: Workshop) -> None:
    url = _staging(lab)
    path = f"/api/datasources/uid/{DATASOURCE_UID}"
    lab.grafana(path, {**lab.grafana(path), "url": url}, method="PUT")


def _staging(lab: Workshop) -> str:
    """The address of a second Prometheus that scrapes the service by another name."""
    folder = lab.beside("staging")
    folder.mkdir()
    config = folder / "prometheus.yml"
    config.write_text(lab.lab.prometheus_config_path.read_text().replace(INSTANCE, STAGING))
    (folder / lab.lab.rules_path.name).write_text(lab.lab.rules_path.read_text())
    with free_ports(1) as (port,):
        address = f"127.0.0.1:{port}"
        argv: Command = [
            lab.servers().prometheus,
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--log.level=warn",
        ]
        lab.start("staging", argv, f"http://{address}/-/ready")
    scrapes = f"http://{address}/api/v1/query?query=min(count_over_time(up[1m]))%3E2"
    lab.until(lambda: lab.ask(scrapes)["data"]["result"], "three scrapes by the other Prometheus")
    return f"http://{address}"


FAULT = Fault(
    breaks=breaks,
    shows={
        "dashboard": rf"data source {DATASOURCE_UID}: .*another Prometheus(?s:.*){STAGING}(?s:.*){INSTANCE}"
    },
)
