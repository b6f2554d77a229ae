"""What the sides of an operator must be for it to give something, or nothing."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import promql_parser as p

from opsconsole.promql import selectors
from opsconsole.promql.trees import number, walk
from opsconsole.rehearse.search import clock
from opsconsole.rehearse.search.acts import Act, State
from opsconsole.rehearse.search.aggregations import numbered
from opsconsole.rehearse.search.arithmetic import COMPARISONS, FLIPPED, OPPOSITE, calculated, undone
from opsconsole.rehearse.search.regions import Region

if TYPE_CHECKING:
    from opsconsole.rehearse.search.solver import Solver

_ANY = Region()
_MOST_BESIDE = 2
APART_SEED = 3
"""With this seed, the sides of an operator are tried as series of their own first."""


def operated(search: "Solver", node: p.BinaryExpr, region: Region, state: State) -> Iterator[State]:
    """States in which the operator gives something of the region."""
    match str(node.op):
        case "and":
            for found in search.demand(node.lhs, region, state):
                yield from islice(search.demand(node.rhs, _ANY, found), _MOST_BESIDE)
        case "or":
            for side in search.ways([node.lhs, node.rhs]):
                yield from search.demand(side, region, state)
        case "unless":
            for found in search.demand(node.lhs, region, state):
                yield from islice(search.deny(node.rhs, found), _MOST_BESIDE)
        case op if op in COMPARISONS and node.modifier and node.modifier.return_bool:
            for truth in (1.0, 0.0):
                if truth in region:
                    yield from paired(search, node, op if truth else OPPOSITE[op], _ANY, state)
        case op:
            yield from paired(search, node, op, region, state)


def paired(search: "Solver", node: p.BinaryExpr, op: str, region: Region, state: State) -> Iterator[State]:
    """States in which `left op right` has a value of the region."""
    left, right = clock.value(node.lhs, search.at), clock.value(node.rhs, search.at)
    if right is not None:
        for wanted in undone(op, region, right=right):
            yield from search.demand(node.lhs, wanted, state)
    elif left is not None:
        for wanted in _right_of(op, region, left, scalar=True):
            yield from search.demand(node.rhs, wanted, state)
    else:
        yield from _two_vectors(search, node, op, region, state)


def _two_vectors(
    search: "Solver", node: p.BinaryExpr, op: str, region: Region, state: State
) -> Iterator[State]:
    left = search.known(node.lhs, state)
    if left is not None and search.known(node.rhs, state) is None:
        for wanted in _right_of(op, region, left):
            yield from search.demand(node.rhs, wanted, state)
        return
    if search.seed == APART_SEED:
        yield from _apart(search, node, op, region, state)
    yield from _drifting(search, node, op, region, state)
    right_first = _particular(node.rhs) >= _particular(node.lhs)
    for right in search.ways(_pivots(search, node.rhs, state)):
        for wanted in undone(op, region, right=right):
            if right_first:
                for found in search.demand(node.rhs, Region.point(right), state):
                    yield from search.demand(node.lhs, wanted, found)
                continue
            for found in search.demand(node.lhs, wanted, state):
                yield from search.demand(node.rhs, Region.point(right), found)


def _apart(search: "Solver", node: p.BinaryExpr, op: str, region: Region, state: State) -> Iterator[State]:
    """Two sides of one metric, each of another series: a primary and its replica."""
    left, right = selectors(node.lhs), selectors(node.rhs)
    if not {one.metric for one in left} & {one.metric for one in right}:
        return
    matching = node.modifier.matching if node.modifier else None
    kept = matching.labels if matching else ()
    for label in islice(search.cast.label_to_vary(left[0], kept), 2):
        one, other = ({**state.forced, label: numbered(label, place)} for place in (0, 1))
        for pivot in _pivots(search, node.rhs, state)[:4]:
            for wanted in undone(op, region, right=pivot):
                for first in search.demand(node.rhs, Region.point(pivot), replace(state, forced=other)):
                    for both in search.demand(node.lhs, wanted, replace(first, forced=one)):
                        yield replace(both, forced=state.forced)


def _drifting(search: "Solver", node: p.BinaryExpr, op: str, region: Region, state: State) -> Iterator[State]:
    """What a series is now against what it was some time ago, when it drifts all the while."""
    now, then = search.leaf(node.lhs), search.leaf(node.rhs)
    if op != "-" or now is None or then is None or now.earlier == then.earlier:
        return
    if now.selector.metric != then.selector.metric or now.component != "level":
        return
    ago = _offset_seconds(node.rhs if then.earlier else node.lhs)
    change = region if then.earlier else region.scaled(-1)
    for key in islice(search.series(now, state), 1):
        for drift in search.picks(change, 1.0)[:1]:
            moving = Act(level=max(1.0, -100 * drift), slope=drift / ago)
            if key not in state.acts and (after := state.with_act(key, moving)):
                yield after


def _pivots(search: "Solver", node: p.Expr, state: State) -> list[float]:
    """Numbers worth trying for a side when the other is not known."""
    known = search.known(node, state)
    if known is not None:
        return [known]
    usual = search.usual(node)
    written = [value for one in walk(node) if (value := number(one)) is not None and value > 1]
    ideas = [usual, 1.0, 3.0, usual * 10, 0.0, usual / 100, 2.0, 10.0]
    return list(dict.fromkeys([*ideas, *(2 * value for value in written[:3])]))


def denied(search: "Solver", node: p.BinaryExpr, state: State) -> Iterator[State]:
    """States in which it gives nothing."""
    op = str(node.op)
    match op:
        case "and":
            for side in (node.lhs, node.rhs):
                yield from search.deny(side, state)
            return
        case "or":
            for found in search.deny(node.lhs, state):
                yield from search.deny(node.rhs, found)
            return
        case "unless":
            yield from search.deny(node.lhs, state)
            for found in search.demand(node.rhs, _ANY, state):
                yield found
            return
    if op in COMPARISONS and not (node.modifier and node.modifier.return_bool):
        left, right = clock.value(node.lhs, search.at), clock.value(node.rhs, search.at)
        if left is not None and right is not None:
            if not calculated(op, left, right):
                yield state
            return
        yield from paired(search, node, OPPOSITE[op], _ANY, state)
    for side in (node.lhs, node.rhs):
        yield from search.deny(side, state)


def _right_of(op: str, region: Region, left: float, *, scalar: bool = False) -> Iterator[Region]:
    """Where the right side has to lie. A comparison with a number keeps the vector's value, that of two
    vectors the left one's."""
    if op not in COMPARISONS:
        yield from undone(op, region, left=left)
    elif scalar:
        yield Region.compared(FLIPPED[op], left).within(region)
    elif left in region:
        yield Region.compared(FLIPPED[op], left)


def _particular(node: p.Expr) -> int:
    """How much a side is tied down: the more matchers, the fewer series can stand for it."""
    found = selectors(node)
    return sum(len(one.matchers) for one in found[:1]) - 10 * len(found)


def _offset_seconds(node: p.Expr) -> float:
    shifts = [getattr(one, "offset", None) for one in walk(node)]
    return max((shift.total_seconds() for shift in shifts if shift), default=1.0)
