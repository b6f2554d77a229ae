"""The service exports more samples than Prometheus takes of it, so that it takes none."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    lab.prometheus(("metrics_path: /metrics", "metrics_path: /metrics\n    sample_limit: 50"))
    lab.target_is("down")


FAULT = Fault(
    breaks=breaks,
    shows={"scraping": "sample limit exceeded"},
    follows={
        "webhook-metrics": "no target of rsolv-platform is up",
        "rules": "no target of rsolv-platform is up",
    },
)
