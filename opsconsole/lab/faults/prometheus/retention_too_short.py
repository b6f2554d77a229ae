"""Prometheus was started with a retention of one day."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    lab.restart("prometheus", "--storage.tsdb.retention.time=1d")
    lab.steady()


FAULT = Fault(
    breaks=breaks,
    shows={"retention": "keeps 1 d, less than 15 d"},
)
