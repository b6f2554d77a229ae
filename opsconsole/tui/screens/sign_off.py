"""The dialog in which a person judges an item."""

import getpass
from contextlib import suppress

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Input, Static

from opsconsole.runview import ItemView
from opsconsole.tui.messages import SignOffRequested
from opsconsole.tui.screens.modal import Modal
from opsconsole.tui.text import plain


class SignOffScreen(Modal[SignOffRequested]):
    """Asks for a verdict, a note and a name; none of them can be left out."""

    AUTO_FOCUS = "#note"

    def __init__(self, item: ItemView, *, environment: str, protected: bool) -> None:
        super().__init__()
        self._item = item
        self._where = f"PROTECTED: {environment.upper()}" if protected else environment

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as dialog:
            dialog.border_title = f"Sign off · {self._where}"
            with VerticalScroll(id="asked"):
                yield Static(plain(self._item.summary.title), markup=False, classes="title")
                yield Static(plain(self._item.question or "Is this right?"), markup=False, classes="question")
                yield Static(plain(self._item.text), markup=False)
            yield Input(placeholder="what you saw and why it is right or wrong", id="note", compact=True)
            yield Input(_login_name(), placeholder="your name", id="who", compact=True)
            yield Static("", id="missing", markup=False)
            with Horizontal(id="buttons"):
                yield Button("✓ Pass", id="pass", variant="success", compact=True)
                yield Button("✗ Fail", id="fail", variant="error", compact=True)
                yield Button("Cancel (Esc)", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#note").border_title = "Note"
        self.query_one("#who").border_title = "Name"

    def on_input_submitted(self) -> None:
        self.focus_next()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "cancel":
            self.dismiss(None)
            return
        note, who = (self.query_one(f"#{name}", Input) for name in ("note", "who"))
        for field, name in ((note, "a note"), (who, "a name")):
            if not field.value.strip():
                self.query_one("#missing", Static).update(f"A sign-off needs {name}.")
                field.focus()
                return
        passed = event.button.id == "pass"
        self.dismiss(SignOffRequested(self._item.summary.id, who.value.strip(), passed, note.value.strip()))


def _login_name() -> str:
    with suppress(OSError, KeyError, ImportError):
        return getpass.getuser()
    return ""
