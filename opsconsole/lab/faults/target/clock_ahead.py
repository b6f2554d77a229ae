"""The service stamps its samples, and its clock is an hour ahead: Prometheus takes none of them."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

COUNTER = "rsolv_billing_usage_tracked_total"


def breaks(lab: Workshop) -> None:
    lab.service(clock_ahead_seconds=3600.0)
    lab.until(lambda: not lab.queried(f"last_over_time({COUNTER}[3s])"), "nothing new to be stored")


FAULT = Fault(
    breaks=breaks,
    shows={"scraping": r"stamps its samples with a clock that is (1 h|59 min \d+ s) ahead"},
    follows={
        "webhook-metrics": "(?s)not in Prometheus .*stamps its samples",
        "rules": "is scraped no longer",
        "panels": "is scraped no longer",
    },
)
