"""A limit on the size of Prometheus' storage cuts its history long before its retention time."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    lab.restart("prometheus", "--storage.tsdb.retention.size=1MB")
    lab.steady()


FAULT = Fault(
    breaks=breaks,
    shows={"retention": r"not 15 d: its limit on size has cut them \d+ times[\s\S]*1Mi?B"},
)
