"""The last change of prometheus.yml was refused: the old one runs, until the next restart."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.prometheus(("  scrape_timeout: 1s", "  scrape_timeout: 10s"), accepted=False),
    shows={"rules": "the last reload was refused: what runs is older than what is configured"},
)
