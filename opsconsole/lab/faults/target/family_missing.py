"""One family of metrics is exported no longer."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

FAMILY = "rsolv_billing_usage_tracked"


def breaks(lab: Workshop) -> None:
    lab.service(withheld_families=[FAMILY])
    lab.until(lambda: not lab.queried(f"last_over_time({FAMILY}_total[3s])"), "the family to be gone")


FAULT = Fault(
    breaks=breaks,
    shows={"scraping": f"{FAMILY}_total: is missing on the target"},
    follows={
        "plugin": f"{FAMILY}_total: is not exported",
        "panels": f"{FAMILY}_total, which is scraped no longer",
    },
)
