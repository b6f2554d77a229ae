"""An expression in lines, with the guilty part marked so that it is seen without colour too."""

from collections.abc import Iterator, Sequence

from textual.content import Content

from opsconsole.errors import OpsconsoleError
from opsconsole.promql import parse
from opsconsole.rehearse.layout import Line, laid_out
from opsconsole.reports.rehearsal.wording import flat
from opsconsole.tui.text import wrap
from opsconsole.tui.widgets.rows import Row

Parts = tuple[str, str, str]

_MOST_UNDERLINED = 4
"""Lines; a longer guilty part is marked by a bar at their left."""

_AROUND = 28
"""Characters of the expression on each side of an excerpt."""

_MARGIN = 2


def plain_rows(expr: str, width: int) -> list[Row]:
    """The expression as it is written; what is too long for a line is laid out on several."""
    room, written = width - _MARGIN, expr.split("\n")
    lines: Sequence[Line] = [(0, line) for line in written]
    if any(len(line) > room for line in written):
        lines = _laid_out([expr], expr, room) or [
            laid for line in written for laid in _laid_out([line], line, room) or [(0, line)]
        ]
    return [
        Row(((" " * (_MARGIN + indent), ""), (part, "")))
        for indent, line in lines
        for part in wrap(line, room - indent)
    ]


def marked_rows(parts: Parts, width: int, style: str, expr: str = "") -> list[Row]:
    """What is before the guilty part, that part in this style, and what is after it. `expr` is the text that
    they come from: with it, what is too long for a line is laid out on several."""
    whole, room = "".join(parts), width - _MARGIN
    laid = _laid_out([expr, *expr.split("\n")], whole, room) if expr and len(whole) > room else None
    lines = (
        list(_styled(laid, parts, style))
        if laid
        else [(0, Content.assemble(parts[0], (parts[1], style), parts[2]))]
    )
    broken = [(indent, part) for indent, line in lines for part in line.wrap(max(room - indent, 8))]
    bars = sum(bool(line.spans) for _, line in broken) > _MOST_UNDERLINED
    return [row for indent, line in broken for row in _marked(line, indent, style, bars)]


def _marked(line: Content, indent: int, style: str, bars: bool) -> Iterator[Row]:
    """One line, with what is marked of it underlined or barred."""
    text, room = line.plain.rstrip(), " " * indent
    begin, end = _stretch(line, len(text), style)
    gutter = ("┃ ", style) if bars and begin < end else (" " * _MARGIN, "")
    yield Row((gutter, (room + text[:begin], ""), (text[begin:end], style), (text[end:], "")))
    if begin < end and not bars:
        under = f"{' ' * _cells(text[:begin])}{'^' * _cells(text[begin:end])}"
        yield Row(((" " * _MARGIN, ""), (room + under, style)))


def excerpt(parts: tuple[str, str, str]) -> tuple[str, str, str]:
    """The guilty part with only a little of what is around it."""
    before, guilty, after = parts
    if len(before) > _AROUND:
        before = f"…{before[-_AROUND:]}"
    if len(after) > _AROUND:
        after = f"{after[:_AROUND]}…"
    return before, guilty, after


def _laid_out(sources: Sequence[str], whole: str, width: int) -> list[Line] | None:
    """That source which is `whole`, but for white space, in lines that show how it is built; else None."""
    for source in sources:
        try:
            lines = [(indent, flat(text)) for indent, text in laid_out(parse(source), width)]
        except (OpsconsoleError, RecursionError):
            continue
        if _ink("".join(text for _, text in lines)) == _ink(flat(whole)):
            return lines
    return None


def _styled(lines: Sequence[Line], parts: Parts, style: str) -> Iterator[tuple[int, Content]]:
    """The lines, which are the three parts but for white space, with the middle part in this style."""
    seen, begin = 0, len(_ink(parts[0]))
    end = begin + len(_ink(parts[1]))
    for indent, text in lines:
        inked = [at for at, character in enumerate(text) if not character.isspace()]
        guilty = inked[max(0, begin - seen) : max(0, end - seen)]
        seen += len(inked)
        line = Content(text)
        yield indent, line.stylize(style, guilty[0], guilty[-1] + 1) if guilty else line


def _ink(text: str) -> str:
    return "".join(text.split())


def _stretch(line: Content, length: int, style: str) -> tuple[int, int]:
    spans = [span for span in line.spans if span.style == style]
    return (min(spans[0].start, length), min(spans[-1].end, length)) if spans else (length, length)


def _cells(text: str) -> int:
    return Content(text).cell_length
