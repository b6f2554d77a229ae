"""The metrics endpoint answers 200 with an empty page."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    lab.distort("service", Distortion(path="/metrics", body=""))
    lab.until(lambda: not lab.queried("last_over_time(rsolv_billing_usage_tracked_total[3s])"), "no series")


FAULT = Fault(
    breaks=breaks,
    shows={"scraping": "/metrics answers, and exports nothing"},
    follows={
        "webhook-metrics": "/metrics exports nothing",
        "plugin": "/metrics exports nothing",
        "rules": "is scraped no longer",
        "panels": "is scraped no longer",
    },
)
