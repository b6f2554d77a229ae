"""The unit test that proves that an alert can fire."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from opsconsole.redaction import redact
from opsconsole.rehearse.model import Verdict
from opsconsole.reports.rehearsal.wording import name
from opsconsole.tui.screens.modal import Modal
from opsconsole.tui.widgets.rows import RowList
from opsconsole.tui.widgets.verdict import unit_test_rows


class UnitTestScreen(Modal[None]):
    """Shows the test and the rules that it is of. `folder` is where tests are written, empty: nowhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "dismiss", "Back", tooltip="Back to the verdict", show=False),
        Binding("c", "copy", "Copy", tooltip="Copy the unit test"),
    ]

    def __init__(self, verdict: Verdict, folder: str) -> None:
        super().__init__()
        self._verdict, self._folder = verdict, folder

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="large") as dialog:
            dialog.border_title = f"Unit test of {name(self._verdict)}".replace("[", "\\[")
            dialog.border_subtitle = "c copies, Esc leaves"
            yield RowList(id="unit-test")

    def on_row_list_resized(self, message: RowList.Resized) -> None:
        width = message.rows.scrollable_content_region.width - 3
        message.rows.set_rows(unit_test_rows(self._verdict, self._folder, width))

    def action_copy(self) -> None:
        if self._verdict.witness:
            self.app.copy_to_clipboard(redact(self._verdict.witness.test))
            self.notify("copied the unit test", markup=False)
