"""An expression over several lines, each operator in front of what it joins."""

from collections.abc import Iterator

import promql_parser as p

from opsconsole.rehearse.places import Place, whole

_STEP = 2
_ALIKE = ({"+", "-"}, {"*", "/", "%", "atan2"}, {"and", "unless"})

Line = tuple[int, str]
"""How far it is indented, and its text."""


def laid_out(tree: p.Expr, width: int) -> list[Line]:
    """`str(tree)` in lines of at most `width` characters where it can be broken so: before operators, and
    inside parentheses. But for white space, the lines together are `str(tree)`."""
    top = whole(tree)
    return [
        (indent, text.strip()) for indent, text in _Layout(top.text, width).lines(top, 0, len(top.text), 0)
    ]


class _Layout:
    def __init__(self, text: str, width: int) -> None:
        self._text, self._width = text, width

    def lines(self, place: Place, begin: int, end: int, indent: int) -> Iterator[Line]:
        """`place` with what stands directly before it, from `begin`, and after it, until `end`."""
        inner = place.within
        if self._fits(begin, end, indent) or not inner:
            yield indent, self._text[begin:end]
        elif isinstance(place.node, p.BinaryExpr):
            yield from self._joined(place, begin, end, indent)
        elif isinstance(place.node, p.ParenExpr | p.Call | p.AggregateExpr):
            yield from self._enclosed(inner, begin, end, indent)
        else:
            yield from self.lines(inner[0], begin, end, indent)

    def _joined(self, place: Place, begin: int, end: int, indent: int) -> Iterator[Line]:
        left, right = place.within
        operator = _end(left) + 1
        if _binds_alike(place, left):
            yield from self._joined(left, begin, _end(left), indent)
        else:
            deeper = isinstance(left.node, p.BinaryExpr) and not self._fits(begin, _end(left), indent)
            yield from self.lines(left, begin, _end(left), indent + _STEP * deeper)
        if isinstance(right.node, p.BinaryExpr) and not self._fits(operator, end, indent):
            yield indent, self._text[operator : right.start]
            yield from self.lines(right, right.start, end, indent + _STEP)
        else:
            yield from self.lines(right, operator, end, indent)

    def _enclosed(self, inner: tuple[Place, ...], begin: int, end: int, indent: int) -> Iterator[Line]:
        yield indent, self._text[begin : inner[0].start]
        for part, after in zip(inner, (*inner[1:], None), strict=True):
            yield from self.lines(part, part.start, after.start if after else _end(part), indent + _STEP)
        yield indent, self._text[_end(inner[-1]) : end]

    def _fits(self, begin: int, end: int, indent: int) -> bool:
        return indent + len(self._text[begin:end].strip()) <= self._width


def _end(place: Place) -> int:
    return place.start + len(place.text)


def _binds_alike(place: Place, left: Place) -> bool:
    """Whether the left side is joined as strongly, as in a chain of `or`."""
    if not isinstance(place.node, p.BinaryExpr) or not isinstance(left.node, p.BinaryExpr):
        return False
    joined = {str(place.node.op), str(left.node.op)}
    return len(joined) == 1 or any(joined <= alike for alike in _ALIKE)
