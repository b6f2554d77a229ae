"""The service restarts again and again, and its counters begin at zero each time."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    lab.service(counters_reset_every_seconds=1.5)
    resets = "max(resets(rsolv_billing_usage_tracked_total[1m])) > 5"
    lab.until(lambda: lab.queried(resets), "six restarts")


FAULT = Fault(
    breaks=breaks,
    shows={"scraping": r"its counters began anew \d+ times in the last .* it restarts again and again"},
    follows={"webhook-metrics": "the service has just restarted"},
)
