"""What went wrong, where, and what to do next; then the console ends."""

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from opsconsole.errors import OpsconsoleError
from opsconsole.tui.screens.modal import Modal
from opsconsole.tui.text import plain


class FailureScreen(Modal[int], inherit_bindings=False):
    """Shows an error until any key is pressed; answers with its exit code."""

    def __init__(self, error: OpsconsoleError) -> None:
        super().__init__()
        self._error = error

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="failure") as dialog:
            dialog.border_title = "This cannot go on"
            yield Static(plain(self._error.message), markup=False, classes="title")
            if self._error.where:
                yield Static(plain(self._error.where), markup=False, classes="where")
            if self._error.hint:
                yield Static(f"→ {plain(self._error.hint)}", markup=False, classes="question")
            yield Static(
                f"Any key ends opsconsole (exit {self._error.exit_code}).", markup=False, classes="where"
            )

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.dismiss(self._error.exit_code)
