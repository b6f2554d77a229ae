"""The data source was deleted, and the dashboard still points to it."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.grafana import DATASOURCE_UID

FAULT = Fault(
    breaks=lambda lab: lab.grafana(f"/api/datasources/uid/{DATASOURCE_UID}", method="DELETE"),
    shows={"dashboard": f"data source {DATASOURCE_UID}: is not healthy: Grafana has none of this uid"},
    follows={"panels": f"Grafana has no data source {DATASOURCE_UID}"},
)
