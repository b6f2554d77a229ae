"""Where the mass of a classic histogram has to lie for a quantile to have a value."""

import math
from collections.abc import Iterator, Sequence
from itertools import islice

import promql_parser as p

from opsconsole.promql import selectors
from opsconsole.rehearse.search.leaves import Leaf, leaf
from opsconsole.rehearse.search.regions import Region

_INFINITE = "+Inf"


def buckets(node: p.Expr, interval_seconds: float) -> Leaf | None:
    """The leaf of the buckets beneath `histogram_quantile`, through aggregations and what keeps labels."""
    match node:
        case p.ParenExpr() | p.AggregateExpr():
            return buckets(node.expr, interval_seconds)
        case p.Call() if node.func.name in ("label_replace", "label_join"):
            return buckets(node.args[0], interval_seconds)
        case p.BinaryExpr() if str(node.op) in ("*", "/"):
            return buckets(node.lhs if selectors(node.lhs) else node.rhs, interval_seconds)
    part = leaf(node, interval_seconds)
    return part if part and (part.selector.metric or "").endswith("_bucket") else None


def guessed(region: Region) -> list[str]:
    """Bounds of buckets that make the region reachable, where the real ones are not known."""
    ends = sorted({abs(end) for end in (region.lo, region.hi) if math.isfinite(end) and end})
    bounds = sorted({part * end for end in ends or [1.0] for part in (0.25, 0.5, 1.0, 2.0, 4.0)})
    return [*(f"{bound:.6g}" for bound in bounds), _INFINITE]


def masses(quantile: float, bounds: Sequence[str], region: Region) -> Iterator[list[tuple[str, float]]]:
    """Ways to fill the buckets so that the quantile is in the region: cumulative shares from 0 to 1 by `le`,
    those with all in one bucket first, and of those the lowest."""
    finite = [float(bound) for bound in bounds if bound != _INFINITE and math.isfinite(float(bound))]
    if not finite or not 0 < quantile < 1:
        return
    lowest = 0.0 if finite[0] > 0 else finite[0]
    edges = list(zip([lowest, *finite], [*finite, math.inf], strict=False))
    for number, (lower, upper) in enumerate(edges):
        value = finite[-1] if math.isinf(upper) else lower + (upper - lower) * quantile
        if value in region:
            yield [(le, float(place >= number)) for place, le in enumerate(bounds)]
    for number, (lower, upper) in enumerate(edges[:-1]):
        inside = region.within(Region(lower, upper, hi_closed=True))
        for value in islice(inside.picks((lower + upper) / 2), 2) if not inside.empty else ():
            yield _shared(quantile, number, (value - lower) / (upper - lower), bounds)


def _shared(quantile: float, number: int, wanted: float, bounds: Sequence[str]) -> list[tuple[str, float]]:
    """The shares with which the quantile lies `wanted` of the way through bucket `number`."""
    below, within = 0.0, 1.0
    if wanted < quantile:  # (quantile - below) / (1 - below) = wanted
        below = (quantile - wanted) / (1 - wanted)
        within = 1.0 - below
    else:  # quantile / within = wanted
        within = quantile / wanted
    shares = [below if place < number else min(1.0, below + within) for place in range(len(bounds) - 1)]
    if number == 0:
        shares = [min(1.0, within)] * (len(bounds) - 1)
    return [*zip(bounds, shares, strict=False), (bounds[-1], 1.0)]
