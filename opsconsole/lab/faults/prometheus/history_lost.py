"""Prometheus came back with an empty disk: its history is gone."""

import shutil

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    lab.stop("prometheus")
    shutil.rmtree(lab.lab.prometheus_data)
    lab.restart("prometheus")
    lab.steady()


FAULT = Fault(
    breaks=breaks,
    shows={"retention": "not 15 d: its storage was empty when it started"},
    follows={"thresholds": "is not an hour old, or gone"},
)
