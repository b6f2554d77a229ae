"""The data source's address leads to a port where nothing listens."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.grafana import DATASOURCE_UID
from opsconsole.lab.workshop import Workshop

REFUSED = "dial tcp 127.0.0.1:9: connect: connection refused"


def breaks(lab: Workshop) -> None:
    path = f"/api/datasources/uid/{DATASOURCE_UID}"
    lab.grafana(path, {**lab.grafana(path), "url": "http://127.0.0.1:9"}, method="PUT")


FAULT = Fault(
    breaks=breaks,
    shows={"dashboard": f"data source {DATASOURCE_UID}: is not healthy: .*{REFUSED}"},
    follows={"panels": f"query error: .*{REFUSED}"},
)
