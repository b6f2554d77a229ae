"""The billing service is down."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    lab.stop("service")
    lab.target_is("down")


FAULT = Fault(
    breaks=breaks,
    shows={"scraping": "connection refused"},
    follows={
        "webhook-metrics": "no target of rsolv-platform is up",
        "plugin": "connection refused",
        "rules": "no target of rsolv-platform is up",
    },
)
