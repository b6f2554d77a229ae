"""A label of a metric has unbounded values: every scrape brings hundreds of new series."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    lab.service(new_label_values_per_scrape=200)
    added = 'scrape_series_added{job="rsolv-platform"}[12s]'
    growing = f"min_over_time({added}) > 100 and count_over_time({added}) > 9"
    lab.until(lambda: lab.queried(growing), "the series to grow")


FAULT = Fault(
    breaks=breaks,
    shows={
        "scraping": r"(?s)every scrape brings 2\d\d new series.*"
        r"the label `resource_type` of rsolv_billing_usage_tracked_total"
    },
)
