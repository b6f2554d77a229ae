"""The metrics endpoint answers more slowly than the scrape timeout allows."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    lab.distort("service", Distortion(path="/metrics", delay_seconds=2.0))
    lab.target_is("down")


FAULT = Fault(
    breaks=breaks,
    shows={"scraping": r"(?s)context deadline exceeded.*longer than the scrape_timeout of 1 s"},
    follows={
        "webhook-metrics": "no target of rsolv-platform is up",
        "rules": "no target of rsolv-platform is up",
    },
)
