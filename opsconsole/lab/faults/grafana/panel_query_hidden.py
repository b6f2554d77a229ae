"""A panel's only query was hidden while somebody looked for something, and saved so."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

PANEL = "Failed Payments by Reason"


def breaks(lab: Workshop) -> None:
    board = lab.board()
    panel = next(each for each in board["panels"] if each["title"] == PANEL)
    panel["targets"][0]["hide"] = True
    lab.save_board(board)


FAULT = Fault(breaks=breaks, shows={"dashboard": f"{PANEL}: all its queries are hidden"})
