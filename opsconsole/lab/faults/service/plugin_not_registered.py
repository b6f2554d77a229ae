"""The BillingPlugin is not registered: the application exports its other metrics, and none of billing."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

OTHERS = """\
# HELP rsolv_prom_ex_beam_memory_allocated_bytes The total amount of memory currently allocated.
# TYPE rsolv_prom_ex_beam_memory_allocated_bytes gauge
rsolv_prom_ex_beam_memory_allocated_bytes 81788928
# HELP rsolv_prom_ex_phoenix_http_requests_total The number of requests that have been serviced.
# TYPE rsolv_prom_ex_phoenix_http_requests_total counter
rsolv_prom_ex_phoenix_http_requests_total{method="GET",status="200"} 4711
"""


def breaks(lab: Workshop) -> None:
    kind = "text/plain; version=0.0.4; charset=utf-8"
    lab.distort("service", Distortion(path="/metrics", content_type=kind, body=OTHERS))
    billing = "last_over_time(rsolv_billing_payment_processed_total[3500ms])"
    lab.until(lambda: not lab.queried(billing), "Prometheus to have the other metrics alone")


FAULT = Fault(
    breaks=breaks,
    shows={
        "plugin": r"(?s)none of the 8 families .*BillingPlugin exports is there.*BillingPlugin in plugins/0"
    },
    follows={
        "scraping": "is missing on the target",
        "webhook-metrics": "did not move(?s:.*)the target does not export it",
        "rules": "is scraped no longer",
    },
)
