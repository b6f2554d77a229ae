"""A login page answers in Grafana's place."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault
from opsconsole.model import Outcome

PAGE = "<!doctype html><html><title>Sign in</title><form action=/login method=post></form></html>"
WORDS = "answered HTML where JSON was expected"

FAULT = Fault(
    breaks=lambda lab: lab.distort("grafana", Distortion(path="/.*", content_type="text/html", body=PAGE)),
    shows={"dashboard": WORDS, "panels": WORDS},
    outcome=Outcome.UNKNOWN,
)
