"""A panel shows milliseconds as seconds: its unit was changed by hand."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.dashboard(('"unit": "ms"', '"unit": "s"')),
    shows={
        "dashboard": "(?s)Payment Processing Duration: differs from the reference in its unit\n"
        ".*-unit: ms.*[+]unit: s"
    },
)
