"""A cache answers for the metrics endpoint: every scrape brings the same old numbers."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    lab.distort("service", Distortion(path="/metrics", frozen=True))
    counter = "rsolv_billing_usage_tracked_total"
    scraped = f"min(count_over_time({counter}[4500ms])) > 3 and sum(changes({counter}[4500ms])) == 0"
    lab.until(lambda: lab.queried(scraped), "the counters to stand still")


FAULT = Fault(
    breaks=breaks,
    shows={"scraping": "all counters stand still .* come from a cache"},
    follows={"webhook-metrics": "gave the same answer .* comes from a cache"},
)
