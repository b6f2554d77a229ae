"""Text as rows: headings, and lines wrapped beside a mark."""

from opsconsole.tui.text import wrap
from opsconsole.tui.widgets.rows import Row, Span


def heading(text: str) -> list[Row]:
    """A blank line and a heading."""
    return [Row(), Row(((text, "heading"),))]


def lines(text: str, width: int, style: str = "", *, mark: Span = ("", ""), indent: str = "") -> list[Row]:
    """`text` wrapped beside a mark, which stands on its first line alone."""
    margin = len(mark[0]) + len(indent)
    rows = []
    for number, line in enumerate(wrap(text, width - margin) if text else []):
        left = mark if number == 0 else (" " * len(mark[0]), "")
        rows.append(Row(((indent, ""), left, (line, style))))
    return rows
