"""A panel was shifted by a day to compare it with yesterday, and saved so."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

PANEL = "Usage Tracking"


def breaks(lab: Workshop) -> None:
    board = lab.board()
    panel = next(each for each in board["panels"] if each["title"] == PANEL)
    panel["timeShift"] = "1d"
    lab.save_board(board)


FAULT = Fault(
    breaks=breaks,
    shows={"dashboard": rf"(?s){PANEL}: differs from the reference in its time\n.*[+]timeShift: 1d"},
)
