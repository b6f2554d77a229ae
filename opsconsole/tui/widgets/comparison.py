"""What changed between two runs, as rows."""

from collections.abc import Iterator

from opsconsole.model import SIGNS, Outcome
from opsconsole.reports.compare import Change, compare
from opsconsole.reports.wording import one_line
from opsconsole.runview import RunView
from opsconsole.tui.text import moment, style_of
from opsconsole.tui.widgets.rows import Row, Span


def comparison_rows(before: RunView, after: RunView) -> list[Row]:
    """The two runs, then what is different by item and server, then the items that are the same."""
    changes: dict[str, list[Change]] = {}
    for change in compare(before, after):
        changes.setdefault(change.subject, []).append(change)
    rows = [_run("before", before), _run("after", after), *_heading("What changed")]
    for subject, changed in changes.items():
        rows += _subject(_title(subject, before, after), changed)
    if not changes:
        rows.append(Row((("  nothing: every outcome and every finding is the same", "faint"),)))
    same = [item for id, item in after.items.items() if id not in changes]
    if same:
        rows += _heading("The same in both")
    for item in same:
        title = f"  {one_line(item.summary.title)}"
        rows.append(Row((("  ", ""), *_outcome(item.outcome or ""), (title, ""))))
    return rows


def _run(word: str, view: RunView) -> Row:
    if view.start is None:
        return Row(((f"{word:<8}", "faint"), ("a run without a beginning", "unknown")))
    where = f"{moment(view.started_at)}  {one_line(view.start.environment)}  {one_line(view.start.who)}"
    return Row(((f"{word:<8}", "faint"), (f"{view.start.run}  ", "strong"), (where, "")))


def _heading(text: str) -> list[Row]:
    return [Row(), Row(((text, "heading"),))]


def _title(subject: str, before: RunView, after: RunView) -> str:
    item = after.items.get(subject) or before.items.get(subject)
    return one_line(item.summary.title if item else subject)


def _subject(title: str, changes: list[Change]) -> Iterator[Row]:
    yield Row(((f"  {title}", "strong"),))
    for change in changes:
        if change.what == "finding":
            sign, style = ("-", "removed") if change.before else ("+", "added")
            yield Row(((f"    {sign} {change.before or change.after}", style),))
        else:
            arrow: Span = (" → ", "faint")
            label: Span = ("" if change.what == "outcome" else f"{change.what} ", "faint")
            yield Row((("    ", ""), label, *_outcome(change.before), arrow, *_outcome(change.after)))


def _outcome(value: str) -> list[Span]:
    """An outcome with its sign; any other value as it is."""
    if value in SIGNS:
        outcome = Outcome(value)
        return [(f"{SIGNS[outcome]} {outcome.value}", style_of(outcome))]
    return [(one_line(value) or "not there", "" if value else "faint")]
