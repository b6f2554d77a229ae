"""What the elements beneath an aggregation must be for it to give a value."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import promql_parser as p

from opsconsole.promql import selectors
from opsconsole.rehearse.search.acts import Act, State
from opsconsole.rehearse.search.regions import Region

if TYPE_CHECKING:
    from opsconsole.rehearse.search.solver import Solver

_ANY = Region()
_MOST_COUNTED = 120


def aggregated(search: "Solver", node: p.AggregateExpr, region: Region, state: State) -> Iterator[State]:
    """States in which the aggregation has an element of the region."""
    match str(node.op):
        case "count" | "count_values":
            yield from _several(search, node, region, state)
        case "stddev" | "stdvar":
            yield from _spread(search, node, region, state)
        case "group":
            if 1.0 in region:
                yield from search.demand(node.expr, _ANY, state)
        case "sum":
            yield from _sum(search, node, region, state)
        case _:
            yield from search.demand(node.expr, region, state)


def _sum(search: "Solver", node: p.AggregateExpr, region: Region, state: State) -> Iterator[State]:
    part = search.leaf(node.expr)
    there = search.assigned(node.expr, state) if part else None
    if part is None or there is None:
        yield from search.demand(node.expr, region, state)
        yield from _several_alike(search, node, region, state)
        return
    if there in region:
        yield state
    rest = region.shifted(-there)
    taken = set(state.found_by(part.selector))
    for key in islice((k for k in search.series(part, state) if k not in taken), 3):
        for value in search.picks(part.component_region(rest), part.usual(search.calm)):
            changed = part.acted(Act(), value)
            if changed is not None and (after := state.with_act(key, changed)):
                yield after


def _several_alike(search: "Solver", node: p.AggregateExpr, region: Region, state: State) -> Iterator[State]:
    """A sum over elements that are 0 or 1 each, such as `sum(up == bool 0) > 2`."""
    if region.lo >= 1 and region.lo < _MOST_COUNTED:
        yield from _copies(search, node, int(region.lo) + 1, Region.point(1.0), state)


def _several(search: "Solver", node: p.AggregateExpr, region: Region, state: State) -> Iterator[State]:
    whole = [n for n in range(1, 6) if float(n) in region]
    if region.lo >= 5 and region.lo < _MOST_COUNTED:
        start = int(region.lo)
        whole += [n for n in (start, start + 1, start + 2) if float(n) in region]
    for n in dict.fromkeys(search.ways(whole)):
        yield from _copies(search, node, n, _ANY, state)


def _spread(search: "Solver", node: p.AggregateExpr, region: Region, state: State) -> Iterator[State]:
    for pick in search.picks(region.within(Region(0.0, lo_closed=True)), 1.0):
        width = 2 * (pick**0.5 if str(node.op) == "stdvar" else pick)
        for low in _copies(search, node, 1, Region.point(10.0), state):
            for label in islice(_labels_to_vary(search, node), 3):
                varied = replace(low, forced={**low.forced, label: f"{label}-far"})
                for both in search.demand(node.expr, Region.point(10.0 + width), varied):
                    yield replace(both, forced=state.forced)


def _copies(search: "Solver", node: p.AggregateExpr, n: int, each: Region, state: State) -> Iterator[State]:
    """States in which the expression beneath has n elements of the region, each other in one label."""
    if n == 1:
        yield from search.demand(node.expr, each, state)
        return
    for label in islice(_labels_to_vary(search, node), 4):
        found: State | None = state
        for place in range(n):
            if found is None:
                break
            varied = replace(found, forced={**state.forced, label: numbered(label, place)})
            found = next(search.demand(node.expr, each, varied), None)
        if found is not None:
            yield replace(found, forced=state.forced)


def _labels_to_vary(search: "Solver", node: p.AggregateExpr) -> Iterator[str]:
    own = node.modifier.labels if node.modifier and str(node.modifier.type).endswith("By") else ()
    inner = _unwrapped(node.expr)
    if isinstance(inner, p.AggregateExpr) and inner.modifier and str(inner.modifier.type).endswith("By"):
        yield from (label for label in inner.modifier.labels if label not in own)
    for found in selectors(node.expr)[:1]:
        yield from search.cast.label_to_vary(found, own)


def numbered(label: str, place: int) -> str:
    """The value of a label for the series of a place among several alike, from 0."""
    return f"127.0.0.1:{9090 + place}" if label == "instance" else f"{label}-{place + 1}"


def _unwrapped(node: p.Expr) -> p.Expr:
    while isinstance(node, p.ParenExpr):
        node = node.expr
    return node
