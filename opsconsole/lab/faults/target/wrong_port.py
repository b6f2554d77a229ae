"""Prometheus scrapes the service at a port where it does not listen."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    right = lab.lab.service_url.removeprefix("http://")
    lab.prometheus((right, "127.0.0.1:9"))
    lab.target_is("down")


FAULT = Fault(
    breaks=breaks,
    shows={"scraping": r"(?s)connection refused.*scrapes http://127\.0\.0\.1:9/.*answers on port \d+"},
    follows={
        "webhook-metrics": "no target of rsolv-platform is up",
        "rules": "no target of rsolv-platform is up",
    },
)
