"""What became of an item in past runs, as rows; each opens its run."""

from typing import TYPE_CHECKING

from opsconsole.reports.wording import one_line
from opsconsole.tui.text import duration, labelled, moment, style_of
from opsconsole.tui.widgets.rows import Row

if TYPE_CHECKING:
    from opsconsole.store import Records

_RUNS_SHOWN = 50


def history_rows(records: "Records", environment: str, item: str, *, current: str) -> list[Row]:
    """The newest run first; the run on the screen, `current`, is marked."""
    rows = []
    for run, at, outcome, seconds, summary in records.item_history(environment, item, _RUNS_SHOWN):
        mark = " (this run)" if run == current else ""
        rows.append(
            Row(
                (
                    (f"{moment(at)}  ", "faint"),
                    (f"{labelled(outcome)} ", style_of(outcome)),
                    (f"{one_line(summary)}{mark}", ""),
                ),
                (duration(seconds), "faint"),
                run,
            )
        )
    return rows or [Row(((f"no run in {environment} has finished this item yet", "faint"),))]
