"""An expression in lines, with the guilty part marked so that it is seen without colour too."""

from textual.content import Content

from opsconsole.tui.text import wrap
from opsconsole.tui.widgets.rows import Row

_MOST_UNDERLINED = 4
"""Lines; a longer guilty part is marked by a bar at their left."""

_AROUND = 28
"""Characters of the expression on each side of an excerpt."""


def plain_rows(expr: str, width: int) -> list[Row]:
    """The expression as it is written."""
    return [Row((("  ", ""), (line, ""))) for line in wrap(expr, width - 2)]


def marked_rows(parts: tuple[str, str, str], width: int, style: str) -> list[Row]:
    """What is before the guilty part, that part in this style, and what is after it."""
    before, guilty, after = parts
    whole = Content.assemble(before, (guilty, style), after)
    lines = whole.wrap(max(width - 2, 8))
    bars = sum(bool(line.spans) for line in lines) > _MOST_UNDERLINED
    rows = []
    for line in lines:
        text = line.plain.rstrip()
        begin, end = _stretch(line, len(text), style)
        gutter = ("┃ ", style) if bars and begin < end else ("  ", "")
        rows.append(Row((gutter, (text[:begin], ""), (text[begin:end], style), (text[end:], ""))))
        if begin < end and not bars:
            under = f"{' ' * _cells(text[:begin])}{'^' * _cells(text[begin:end])}"
            rows.append(Row((("  ", ""), (under, style))))
    return rows


def excerpt(parts: tuple[str, str, str]) -> tuple[str, str, str]:
    """The guilty part with only a little of what is around it."""
    before, guilty, after = parts
    if len(before) > _AROUND:
        before = f"…{before[-_AROUND:]}"
    if len(after) > _AROUND:
        after = f"{after[:_AROUND]}…"
    return before, guilty, after


def _stretch(line: Content, length: int, style: str) -> tuple[int, int]:
    spans = [span for span in line.spans if span.style == style]
    return (min(spans[0].start, length), min(spans[-1].end, length)) if spans else (length, length)


def _cells(text: str) -> int:
    return Content(text).cell_length
