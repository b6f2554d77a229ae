"""A deployment has put an older version of the dashboard back, which lacks two panels."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

LATER = ("Failed Payments by Reason", "Credit System Overview")


def breaks(lab: Workshop) -> None:
    board = lab.board()
    board["panels"] = [panel for panel in board["panels"] if panel["title"] not in LATER]
    lab.save_board(board)


FAULT = Fault(
    breaks=breaks,
    shows={"dashboard": f"(?s){LATER[1]}: there is no such panel.*{LATER[0]}: there is no such panel"},
)
