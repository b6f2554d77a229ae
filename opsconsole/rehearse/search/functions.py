"""What the arguments of a function must be for it to give a value."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import promql_parser as p

from opsconsole.rehearse.search import clock, passes_on, quantiles
from opsconsole.rehearse.search.acts import Act, State, finds
from opsconsole.rehearse.search.regions import Region

if TYPE_CHECKING:
    from opsconsole.rehearse.search.solver import Solver

_ANY = Region()


def called(search: "Solver", node: p.Call, region: Region, state: State) -> Iterator[State]:
    """States in which the function gives something of the region."""
    name, arguments = node.func.name, list(node.args)
    match name:
        case "absent" | "absent_over_time":
            if 1.0 in region:
                yield from search.deny(_inner(arguments[0]), state)
        case (
            "scalar"
            | "sort"
            | "sort_desc"
            | "sort_by_label"
            | "sort_by_label_desc"
            | "label_replace"
            | "label_join"
        ):
            yield from search.demand(arguments[0], region, state)
        case "vector":
            yield from search.demand(arguments[0], region, state)
        case "timestamp":
            yield from search.demand(arguments[0], _ANY, state)
        case "histogram_quantile":
            yield from _quantile(search, node, region, state)
        case _ if name in clock.CALENDAR and arguments:
            yield from _calendar(search, name, arguments[0], region, state)
        case _ if name in passes_on.ELEMENTWISE:
            for wanted in passes_on.undone(
                name, region, [clock.value(one, search.at) for one in arguments[1:]]
            ):
                yield from search.demand(arguments[0], wanted, state)
        case _:
            yield from _over_time(search, node, region, state)


def _over_time(search: "Solver", node: p.Call, region: Region, state: State) -> Iterator[State]:
    inside = next((one for one in node.args if isinstance(one, p.MatrixSelector | p.SubqueryExpr)), None)
    part = search.leaf(node)
    recorded = part is not None and part.selector.metric in search.recorded
    if part is not None and not recorded:
        yield from search.act(part, region, state)
    elif inside is not None:
        for wanted in passes_on.over_time(
            node.func.name, inside, region, search.interval_seconds, search.lasts_seconds
        ):
            inner = inside.vector_selector if isinstance(inside, p.MatrixSelector) else inside.expr
            yield from search.demand(inner, wanted, state)


def _calendar(search: "Solver", name: str, argument: p.Expr, region: Region, state: State) -> Iterator[State]:
    for hours in range(0, 24 * 40, 7):
        moment = hours * 3600.0
        if clock.at(name, moment) in region:
            yield from search.demand(argument, Region.point(moment), state)
            return


def _quantile(search: "Solver", node: p.Call, region: Region, state: State) -> Iterator[State]:
    wanted = clock.value(node.args[0], search.at)
    part = quantiles.buckets(node.args[1], search.interval_seconds)
    if wanted is None or part is None:
        return
    keys = search.cast.series(part.selector, state.bound, {**state.forced, "le": "+Inf"}, ())
    for key in islice(keys, 2):
        bounds = search.cast.bounds(part.selector.metric or "") or quantiles.guessed(region)
        for filled in search.ways(list(quantiles.masses(wanted, bounds, region))):
            after: State | None = state
            for le, share in filled:
                bucket = tuple(sorted({**dict(key), "le": le}.items()))
                changed = part.acted(Act(), share * part.unit)
                if after is not None and changed is not None and finds(part.selector, bucket):
                    after = after.with_act(bucket, changed)
            if after is not None and after is not state:
                yield replace(
                    after, bound={name: value for name, value in after.bound.items() if name != "le"}
                )


def _inner(node: p.Expr) -> p.Expr:
    return node.vector_selector if isinstance(node, p.MatrixSelector) else node
