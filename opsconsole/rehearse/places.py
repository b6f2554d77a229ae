"""Where in an expression a part of it stands: what a reason or a warning points at.

`str(node)` of promql-parser writes one line, in which every part of a tree stands as its own `str`; all but
the selector within a range, whose offset is written behind the range.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import promql_parser as p


@dataclass(frozen=True, slots=True)
class Place:
    """A part of an expression. `start` is where its text begins in that of the whole, `above` are the parts
    that it lies in, the whole first."""

    node: p.Expr = field(compare=False)
    text: str
    start: int
    above: tuple["Place", ...] = field(default=(), compare=False)

    @property
    def nth(self) -> int:
        """Which occurrence of its text in the whole it is, from 0; those that overlap count too."""
        whole = self.above[0].text if self.above else self.text
        return sum(whole.startswith(self.text, at) for at in range(self.start))

    @property
    def within(self) -> tuple["Place", ...]:
        """The parts directly within this one, left to right; those of a range are not told apart."""
        above = (*self.above, self)
        return tuple(
            Place(node, text, self.start + offset, above)
            for node, text, offset in _parts(self.node, self.text)
        )

    @property
    def bare(self) -> "Place":
        """The same without the parentheses around it."""
        return self.within[0].bare if isinstance(self.node, p.ParenExpr) else self


def whole(tree: p.Expr) -> Place:
    return Place(tree, str(tree), 0)


def places(tree: p.Expr) -> Iterator[Place]:
    """The whole expression and all parts of it, from the outside in, left to right."""
    return _all(whole(tree))


def _all(place: Place) -> Iterator[Place]:
    yield place
    for inner in place.within:
        yield from _all(inner)


def _parts(node: p.Expr, text: str) -> list[tuple[p.Expr, str, int]]:
    match node:
        case p.BinaryExpr():
            right = str(node.rhs)
            return [(node.lhs, str(node.lhs), 0), (node.rhs, right, len(text) - len(right))]
        case p.ParenExpr() | p.UnaryExpr():
            return [(node.expr, str(node.expr), 1)]
        case p.SubqueryExpr():
            return [(node.expr, str(node.expr), 0)]
        case p.AggregateExpr():
            return _from_the_end(text, [node.expr] if node.param is None else [node.param, node.expr])
        case p.Call():
            return _from_the_end(text, list(node.args))
    return []


def _from_the_end(text: str, arguments: list[p.Expr]) -> list[tuple[p.Expr, str, int]]:
    """Arguments, written `name(one, two)`."""
    found, end = [], len(text) - len(")")
    for argument in reversed(arguments):
        written = str(argument)
        found.append((argument, written, end - len(written)))
        end -= len(written) + len(", ")
    return found[::-1]
