"""What changed between two runs."""

from textual.app import ComposeResult
from textual.containers import Vertical

from opsconsole.runview import RunView
from opsconsole.tui.screens.modal import Modal
from opsconsole.tui.widgets.comparison import comparison_rows
from opsconsole.tui.widgets.rows import RowList


class CompareScreen(Modal[None]):
    """Shows the older run beside the newer one."""

    def __init__(self, before: RunView, after: RunView) -> None:
        super().__init__()
        self._before, self._after = before, after

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="large") as dialog:
            dialog.border_title = "Compare two runs"
            dialog.border_subtitle = "Esc leaves"
            yield RowList(id="comparison")

    def on_mount(self) -> None:
        self.query_one(RowList).set_rows(comparison_rows(self._before, self._after))
