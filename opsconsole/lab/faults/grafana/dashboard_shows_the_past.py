"""The dashboard was saved during an incident, with that day for its time range."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    time = {"from": "2024-02-01T08:00:00.000Z", "to": "2024-02-01T20:00:00.000Z"}
    lab.save_board({**lab.board(), "time": time})


FAULT = Fault(breaks=breaks, shows={"dashboard": "fixed time range, which ended on 2024-02-01"})
