"""The keys that are valid now, from the bindings, and what the signs mean."""

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.binding import ActiveBinding
from textual.containers import Vertical

from opsconsole.model import Outcome
from opsconsole.tui.screens.modal import Modal
from opsconsole.tui.text import labelled, style_of
from opsconsole.tui.widgets.rows import Row, RowList

_MEANINGS = {
    Outcome.PASS: "seen, and right",
    Outcome.FAIL: "seen, and something is wrong",
    Outcome.SKIP: "does not apply here, for the reason given",
    Outcome.UNKNOWN: "could not be seen: a server did not answer, or not sensibly",
    Outcome.SIGN_OFF: "waits for a person's judgement",
    Outcome.BROKEN: "a defect of the check itself",
}
RUN_SIGNS = [(labelled(outcome), style_of(outcome), meaning) for outcome, meaning in _MEANINGS.items()]
"""Sign and word, style and meaning of each outcome."""


class HelpScreen(Modal[None]):
    """Made from the bindings that were active where help was asked for; `signs` are told as RUN_SIGNS are."""

    def __init__(
        self, bindings: Iterable[ActiveBinding], signs: Sequence[tuple[str, str, str]] = RUN_SIGNS
    ) -> None:
        super().__init__()
        self._active = list(bindings)
        self._signs = signs

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="large") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = "Esc leaves"
            yield RowList(id="help")

    def on_mount(self) -> None:
        keys: dict[str, list[str]] = {}
        for active in self._active:
            text = active.tooltip or active.binding.description
            keys.setdefault(text, []).append(self.app.get_key_display(active.binding))
        rows = [Row((("Keys", "heading"),))]
        rows += [
            Row(((f"  {' '.join(dict.fromkeys(shown)):<14}", "strong"), (text, "")))
            for text, shown in keys.items()
        ]
        rows += [Row(), Row((("Signs", "heading"),))]
        rows += [Row(((f"  {label}    ", style), (meaning, ""))) for label, style, meaning in self._signs]
        self.query_one(RowList).set_rows(rows)
