"""The comparisons with a number that decide whether an alert fires."""

from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser as p

from opsconsole.promql.trees import number
from opsconsole.rehearse.places import Place, whole

FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}


@dataclass(frozen=True, slots=True)
class Compared:
    """`side op threshold` at `place`, the number always on the right. `guards`: it may only say when another
    comparison counts, since it stands beside one, or on the right of an operator."""

    place: Place
    side: Place
    op: str
    threshold: float
    guards: bool

    @property
    def upwards(self) -> bool:
        """Whether a higher value brings it about."""
        return self.op in (">", ">=")

    def against(self, threshold: float) -> str:
        """The comparison as it would be written with another threshold."""
        return f"{self.side.text} {self.op} {threshold:.6g}"


def compared(tree: p.Expr) -> Iterator[Compared]:
    """All comparisons with a number, wherever they stand."""
    return _compared(whole(tree), guards=False)


def _compared(place: Place, guards: bool) -> Iterator[Compared]:
    node = place.node
    if not isinstance(node, p.BinaryExpr):
        for inner in place.within:
            yield from _compared(inner, guards)
        return
    left, right = place.within
    operator = str(node.op)
    if operator in FLIPPED:
        low, high = number(node.lhs), number(node.rhs)
        if high is not None and low is None:
            yield Compared(place, left, operator, high, guards)
        elif low is not None and high is None:
            yield Compared(place, right, FLIPPED[operator], low, guards)
    others = list(_compared(right, guards or operator != "or"))
    yield from _compared(left, guards or (operator == "and" and bool(others)))
    yield from others
