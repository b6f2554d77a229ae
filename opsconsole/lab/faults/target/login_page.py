"""A login page answers for the metrics endpoint, with status 200."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

PAGE = '<!doctype html><html><body><form action="/login">Sign in</form></body></html>'


def breaks(lab: Workshop) -> None:
    lab.distort("service", Distortion(path="/metrics", body=PAGE, content_type="text/html; charset=utf-8"))
    lab.target_is("down")


FAULT = Fault(
    breaks=breaks,
    shows={"scraping": "/metrics: answered HTML where metrics were expected"},
    follows={
        "webhook-metrics": "no target of rsolv-platform is up",
        "plugin": "answered HTML where metrics were expected",
        "rules": "no target of rsolv-platform is up",
    },
)
