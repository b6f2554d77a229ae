"""The dialog in which a past run is chosen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical

from opsconsole.model import SIGNS, Outcome
from opsconsole.reports.wording import one_line
from opsconsole.tui.screens.modal import Modal
from opsconsole.tui.text import moment, style_of
from opsconsole.tui.widgets.rows import Row, RowList, Span

if TYPE_CHECKING:
    from opsconsole.store import RunSummary


class RunsScreen(Modal[str]):
    """Offers runs, the newest first; answers with the id of the chosen one."""

    def __init__(self, title: str, runs: "Sequence[RunSummary]") -> None:
        super().__init__()
        self._heading = title
        self._runs = runs

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="large") as dialog:
            dialog.border_title = self._heading
            dialog.border_subtitle = "Enter opens · Esc leaves"
            yield RowList(id="runs")

    def on_mount(self) -> None:
        rows = [run_row(run) for run in self._runs]
        self.query_one(RowList).set_rows(rows or [Row((("there is no other run yet", "faint"),))])

    def on_row_list_chosen(self, message: RowList.Chosen) -> None:
        message.stop()
        self.dismiss(message.key)


def run_row(run: "RunSummary") -> Row:
    """When, where, what came of it and who began it."""
    counts: list[Span] = []
    for outcome in Outcome:
        if count := run.outcomes.get(outcome, 0):
            counts.append((f"{SIGNS[outcome]} {count} {outcome.value}  ", style_of(outcome)))
    ended: Span = (
        ("not finished  ", "unknown") if run.exit_code is None else (f"exit {run.exit_code}  ", "strong")
    )
    spans = (
        (f"{moment(run.started_at)}  ", "faint"),
        (f"{one_line(run.environment)}  ", "strong"),
        ended,
        *counts,
    )
    return Row((*spans, (one_line(run.who), "faint")), key=run.run)
