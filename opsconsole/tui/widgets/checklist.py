"""The checklist as rows: by section, each item with its sign, its word, its title and its time."""

from collections.abc import Iterator

from opsconsole.model import Outcome
from opsconsole.reports.wording import one_line
from opsconsole.runview import ItemView, RunView
from opsconsole.tui.text import duration, labelled, style_of
from opsconsole.tui.views import ALERT_TEST
from opsconsole.tui.widgets.alerts import alert_row, track_column
from opsconsole.tui.widgets.rows import Row
from opsconsole.tui.widgets.ticking import clock, spinner

_WORDS = {outcome.value.lower() for outcome in Outcome} | {"running"}


def checklist_rows(
    view: RunView, *, now: float, over: bool, width: int, filter: str = "", dense: bool = False
) -> list[Row]:
    """Every item that the filter lets through, under its section, in lines of `width` cells. `now` in unix
    seconds; `over`: nothing runs any more; `dense`: no blank lines."""
    rows = _rows(view, now, over, width, filter.lower().split())
    return [row for row in rows if row.spans] if dense else list(rows)


def matches(item: ItemView, words: list[str]) -> bool:
    """Whether an item has all the words: an outcome's word is compared with the outcome, any other is
    looked for in id, title and section."""
    text = f"{item.summary.id} {item.summary.title} {item.summary.section}".lower()
    state = item.outcome.value.lower() if item.outcome else "running" if item.running else ""
    return all(word == state if word in _WORDS else word in text for word in words)


def _rows(view: RunView, now: float, over: bool, width: int, words: list[str]) -> Iterator[Row]:
    section = None
    alerts = view.start is not None and view.start.kind == ALERT_TEST
    column = track_column(view.items.values(), width) if alerts else 0
    for item in view.items.values():
        if not matches(item, words):
            continue
        if item.summary.section != section:
            if section is not None:
                yield Row()
            section = item.summary.section
            if section:
                yield Row(((one_line(section), "heading"),))
        yield alert_row(item, now, over=over, column=column) if alerts else _row(item, now, over=over)


def _row(item: ItemView, now: float, *, over: bool) -> Row:
    title = one_line(item.summary.title)
    if item.outcome is not None:
        style = style_of(item.outcome)
        return Row(
            ((f"{labelled(item.outcome)} ", style), (title, "")),
            (duration(item.seconds), "faint"),
            item.summary.id,
        )
    if not item.running:
        word = "not run" if over else "waiting"
        return Row(((f"· {word:<8} ", "faint"), (title, "faint")), key=item.summary.id)
    if over:
        return Row((("· cut off  ", "unknown"), (title, "")), key=item.summary.id)
    return Row(
        ((f"{spinner(now)} {'running':<8} ", "running"), (title, "")),
        (clock(item, now), "running"),
        item.summary.id,
    )
