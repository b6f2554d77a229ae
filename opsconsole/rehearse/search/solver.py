"""From what an expression should give back to what its series must do.

A demand goes down the tree: an alert's expression must have an element; for `a / b > 0.25` the quotient must
lie above 0.25; so a and b get numbers; so the counters beneath get slopes. Each step has several ways, which
are tried depth first, and every way leaves a State in which all decisions so far hold together. Nothing here
is a proof: what comes out is an idea, of which the real rule engine decides.
"""

import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

import promql_parser as p

from opsconsole.promql import selectors
from opsconsole.promql.trees import number, walk
from opsconsole.promql.trees import selector as selector_of
from opsconsole.rehearse.model import Rule
from opsconsole.rehearse.search import clock, passes_on, quantiles
from opsconsole.rehearse.search.acts import Act, State, finds
from opsconsole.rehearse.search.arithmetic import COMPARISONS, FLIPPED, OPPOSITE, calculated, undone
from opsconsole.rehearse.search.cast import Cast
from opsconsole.rehearse.search.leaves import Leaf, leaf
from opsconsole.rehearse.search.regions import Region
from opsconsole.rehearse.search.texts import accepted, takes

_T = TypeVar("_T")
_ANY = Region()
_MOST_PICKS = 7
_MOST_SERIES = 4
_MOST_BESIDE = 2
_MOST_COUNTED = 120
_STEPS = 1500
APART_SEED = 3
"""With this seed, the sides of an operator are tried as series of their own first."""


class OutOfSteps(Exception):
    """The search has gone on for long enough."""


@dataclass
class Solver:
    """`at` is the moment of the incident in unix seconds, `interval_seconds` the time between samples,
    `recorded` what recording rules make; a `seed` other than 0 tries the ways in another order. The incident
    lasts for `lasts_seconds` where that is less than some window is long; None: for longer than all."""

    cast: Cast
    recorded: Mapping[str, Sequence[tuple[Rule, p.Expr]]]
    at: float
    interval_seconds: float
    lasts_seconds: float | None = None
    seed: int = 0
    calm: bool = False

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 (to vary a search, not to hide anything)
        self._steps = _STEPS

    def fired(self, tree: p.Expr, state: State | None = None) -> Iterator[State]:
        """States in which the expression should have an element."""
        yield from self._demand(tree, _ANY, state or State())

    def empty(self, tree: p.Expr, state: State) -> Iterator[State]:
        """States in which the expression should have none."""
        yield from self._deny(tree, state)

    # What must be there

    def _demand(self, node: p.Expr, region: Region, state: State) -> Iterator[State]:
        self._steps -= 1
        if self._steps < 0:
            raise OutOfSteps
        if region.empty:
            return
        if (known := clock.value(node, self.at)) is not None:
            if known in region:
                yield state
            return
        match node:
            case p.ParenExpr():
                yield from self._demand(node.expr, region, state)
            case p.UnaryExpr():
                yield from self._demand(node.expr, region.scaled(-1), state)
            case p.VectorSelector() if selector_of(node).metric in self.recorded:
                yield from self._recorded(node, region, state)
            case p.VectorSelector():
                yield from self._act(self._leaf(node), region, state)
            case p.BinaryExpr():
                yield from self._binary(node, region, state)
            case p.AggregateExpr():
                yield from self._aggregate(node, region, state)
            case p.Call():
                yield from self._call(node, region, state)
            case p.SubqueryExpr():
                yield from self._demand(node.expr, region, state)

    def _recorded(self, node: p.VectorSelector, region: Region, state: State) -> Iterator[State]:
        wanted = selector_of(node)
        labels = dict.fromkeys(m.label for m in wanted.matchers)
        possible = {
            name: accepted([m for m in wanted.matchers if m.label == name], [state.bound.get(name, "")])
            for name in labels
        }
        asked = {name: values[0] for name, values in possible.items() if values and values[0]}
        for rule, tree in self.recorded[wanted.metric or ""]:
            if not all(takes(m, rule.labels.get(m.label, asked.get(m.label, ""))) for m in wanted.matchers):
                continue
            forced = {name: value for name, value in asked.items() if name not in rule.labels}
            for found in self._demand(
                tree,
                region,
                replace(state, bound={**state.bound, **forced}, forced={**state.forced, **forced}),
            ):
                yield replace(found, forced=state.forced)

    def _leaf(self, node: p.Expr) -> Leaf | None:
        return leaf(node, self.interval_seconds, self.lasts_seconds)

    def _act(self, part: "Leaf | None", region: Region, state: State) -> Iterator[State]:
        """States in which one series of a selector does what gives a value of the region."""
        if part is None:
            return
        if part.fixed is not None and part.fixed not in region:
            region = _ANY  # perhaps it works out otherwise; the rule engine will tell
        for key in self._series(part, state):
            act = state.acts.get(key, Act())
            for value in self._picks(part.component_region(region), part.usual(self.calm)):
                changed = part.acted(act, value)
                if changed is not None and (after := state.with_act(key, changed)):
                    yield after

    def _series(self, part: Leaf, state: State) -> Iterator[tuple[tuple[str, str], ...]]:
        taken = state.found_by(part.selector)
        wished = list(
            islice(
                self.cast.series(part.selector, state.bound, state.forced, taken), _MOST_SERIES + len(taken)
            )
        )
        first = [key for key in wished[:1] if key not in taken]
        forced = [
            key
            for key in taken
            if all(dict(key).get(name, value) == value for name, value in state.forced.items())
        ]
        rest = [key for key in wished[1:] if key not in taken]
        yield from self._ways([*forced, *first, *rest][: _MOST_SERIES + 2])

    def _picks(self, region: Region, usual: float) -> list[float]:
        if self.calm:
            usual_first = [usual] if usual in region else []
            others = sorted(islice(region.picks(usual), _MOST_PICKS), key=lambda pick: pick in region.ends)
            return list(dict.fromkeys([*usual_first, *others]))
        return self._ways(list(islice(region.picks(usual), _MOST_PICKS)))

    def _ways(self, ways: list[_T]) -> list[_T]:
        if self.seed and len(ways) > 1:
            self._random.shuffle(ways)
        return ways

    # Operators

    def _binary(self, node: p.BinaryExpr, region: Region, state: State) -> Iterator[State]:
        match str(node.op):
            case "and":
                for found in self._demand(node.lhs, region, state):
                    yield from islice(self._demand(node.rhs, _ANY, found), _MOST_BESIDE)
            case "or":
                for side in self._ways([node.lhs, node.rhs]):
                    yield from self._demand(side, region, state)
            case "unless":
                for found in self._demand(node.lhs, region, state):
                    yield from islice(self._deny(node.rhs, found), _MOST_BESIDE)
            case op if op in COMPARISONS and node.modifier and node.modifier.return_bool:
                for truth in (1.0, 0.0):
                    if truth in region:
                        yield from self._pair(node, op if truth else OPPOSITE[op], _ANY, state)
            case op:
                yield from self._pair(node, op, region, state)

    def _pair(self, node: p.BinaryExpr, op: str, region: Region, state: State) -> Iterator[State]:
        """States in which `left op right` has a value of the region."""
        left, right = clock.value(node.lhs, self.at), clock.value(node.rhs, self.at)
        if right is not None:
            for wanted in undone(op, region, right=right):
                yield from self._demand(node.lhs, wanted, state)
        elif left is not None:
            for wanted in _right_of(op, region, left, scalar=True):
                yield from self._demand(node.rhs, wanted, state)
        else:
            yield from self._two_vectors(node, op, region, state)

    def _two_vectors(self, node: p.BinaryExpr, op: str, region: Region, state: State) -> Iterator[State]:
        left = self._known(node.lhs, state)
        if left is not None and self._known(node.rhs, state) is None:
            for wanted in _right_of(op, region, left):
                yield from self._demand(node.rhs, wanted, state)
            return
        if self.seed == APART_SEED:
            yield from self._apart(node, op, region, state)
        yield from self._drifting(node, op, region, state)
        right_first = _particular(node.rhs) >= _particular(node.lhs)
        for right in self._ways(self._pivots(node.rhs, state)):
            for wanted in undone(op, region, right=right):
                if right_first:
                    for found in self._demand(node.rhs, Region.point(right), state):
                        yield from self._demand(node.lhs, wanted, found)
                    continue
                for found in self._demand(node.lhs, wanted, state):
                    yield from self._demand(node.rhs, Region.point(right), found)

    def _apart(self, node: p.BinaryExpr, op: str, region: Region, state: State) -> Iterator[State]:
        """Two sides of one metric, each of another series: a primary and its replica."""
        left, right = selectors(node.lhs), selectors(node.rhs)
        if not {one.metric for one in left} & {one.metric for one in right}:
            return
        matching = node.modifier.matching if node.modifier else None
        kept = matching.labels if matching else ()
        for label in islice(self.cast.label_to_vary(left[0], kept), 2):
            one, other = ({**state.forced, label: _numbered(label, place)} for place in (0, 1))
            for pivot in self._pivots(node.rhs, state)[:4]:
                for wanted in undone(op, region, right=pivot):
                    for first in self._demand(node.rhs, Region.point(pivot), replace(state, forced=other)):
                        for both in self._demand(node.lhs, wanted, replace(first, forced=one)):
                            yield replace(both, forced=state.forced)

    def _drifting(self, node: p.BinaryExpr, op: str, region: Region, state: State) -> Iterator[State]:
        """What a series is now against what it was some time ago, when it drifts all the while."""
        now, then = self._leaf(node.lhs), self._leaf(node.rhs)
        if op != "-" or now is None or then is None or now.earlier == then.earlier:
            return
        if now.selector.metric != then.selector.metric or now.component != "level":
            return
        ago = _offset_seconds(node.rhs if then.earlier else node.lhs)
        change = region if then.earlier else region.scaled(-1)
        for key in islice(self._series(now, state), 1):
            for drift in self._picks(change, 1.0)[:1]:
                moving = Act(level=max(1.0, -100 * drift), slope=drift / ago)
                if key not in state.acts and (after := state.with_act(key, moving)):
                    yield after

    def _pivots(self, node: p.Expr, state: State) -> list[float]:
        """Numbers worth trying for a side when the other is not known."""
        known = self._known(node, state)
        if known is not None:
            return [known]
        usual = self._usual(node)
        written = [value for one in walk(node) if (value := number(one)) is not None and value > 1]
        ideas = [usual, 1.0, 3.0, usual * 10, 0.0, usual / 100, 2.0, 10.0]
        return list(dict.fromkeys([*ideas, *(2 * value for value in written[:3])]))

    def _usual(self, node: p.Expr) -> float:
        """What an expression gives on an ordinary day, by its form."""
        match node:
            case p.ParenExpr() | p.UnaryExpr():
                return self._usual(node.expr)
            case p.AggregateExpr():
                return 3.0 if str(node.op) in ("count", "count_values", "group") else self._usual(node.expr)
            case p.Call() if node.func.name in ("histogram_quantile", "timestamp"):
                return self.at if node.func.name == "timestamp" else 1.0
            case p.BinaryExpr():
                return (
                    1.0 if str(node.op) == "/" else self._usual(node.lhs if selectors(node.lhs) else node.rhs)
                )
        part = self._leaf(node)
        if part is not None:
            return part.usual_value
        inner = next((child for child in _vectors(node)), None)
        return self._usual(inner) if inner is not None else 100.0

    def _known(self, node: p.Expr, state: State) -> float | None:
        """What the decisions so far make of an expression; None where it is open still."""
        if (known := clock.value(node, self.at)) is not None:
            return known
        match node:
            case p.ParenExpr():
                return self._known(node.expr, state)
            case p.UnaryExpr():
                inner = self._known(node.expr, state)
                return None if inner is None else -inner
            case p.BinaryExpr():
                left, right = self._known(node.lhs, state), self._known(node.rhs, state)
                return None if left is None or right is None else calculated(str(node.op), left, right)
            case p.AggregateExpr() if str(node.op) == "sum":
                return self._assigned(node.expr, state)
            case p.AggregateExpr() if str(node.op) in ("avg", "min", "max"):
                return self._known(node.expr, state)
        part = self._leaf(node)
        values = [part.value(state.acts[key]) for key in state.found_by(part.selector)] if part else []
        return values[0] if values else None

    def _assigned(self, node: p.Expr, state: State) -> float | None:
        """The sum of what the series beneath do already; None where there are none, or one is not decided."""
        part = self._leaf(node)
        if part is None:
            return self._known(node, state)
        values = [part.value(state.acts[key]) for key in state.found_by(part.selector)]
        known = [value for value in values if value is not None]
        return sum(known) if known and len(known) == len(values) else None

    # Aggregations

    def _aggregate(self, node: p.AggregateExpr, region: Region, state: State) -> Iterator[State]:
        match str(node.op):
            case "count" | "count_values":
                yield from self._several(node, region, state)
            case "stddev" | "stdvar":
                yield from self._spread(node, region, state)
            case "group":
                if 1.0 in region:
                    yield from self._demand(node.expr, _ANY, state)
            case "sum":
                yield from self._sum(node, region, state)
            case _:
                yield from self._demand(node.expr, region, state)

    def _sum(self, node: p.AggregateExpr, region: Region, state: State) -> Iterator[State]:
        part = self._leaf(node.expr)
        there = self._assigned(node.expr, state) if part else None
        if part is None or there is None:
            yield from self._demand(node.expr, region, state)
            yield from self._several_alike(node, region, state)
            return
        if there in region:
            yield state
        rest = region.shifted(-there)
        taken = set(state.found_by(part.selector))
        for key in islice((k for k in self._series(part, state) if k not in taken), 3):
            for value in self._picks(part.component_region(rest), part.usual(self.calm)):
                changed = part.acted(Act(), value)
                if changed is not None and (after := state.with_act(key, changed)):
                    yield after

    def _several_alike(self, node: p.AggregateExpr, region: Region, state: State) -> Iterator[State]:
        """A sum over elements that are 0 or 1 each, such as `sum(up == bool 0) > 2`."""
        if region.lo >= 1 and region.lo < _MOST_COUNTED:
            yield from self._copies(node, int(region.lo) + 1, Region.point(1.0), state)

    def _several(self, node: p.AggregateExpr, region: Region, state: State) -> Iterator[State]:
        whole = [n for n in range(1, 6) if float(n) in region]
        if region.lo >= 5 and region.lo < _MOST_COUNTED:
            start = int(region.lo)
            whole += [n for n in (start, start + 1, start + 2) if float(n) in region]
        for n in dict.fromkeys(self._ways(whole)):
            yield from self._copies(node, n, _ANY, state)

    def _spread(self, node: p.AggregateExpr, region: Region, state: State) -> Iterator[State]:
        for pick in self._picks(region.within(Region(0.0, lo_closed=True)), 1.0):
            width = 2 * (pick**0.5 if str(node.op) == "stdvar" else pick)
            for low in self._copies(node, 1, Region.point(10.0), state):
                for label in islice(self._labels_to_vary(node), 3):
                    varied = replace(low, forced={**low.forced, label: f"{label}-far"})
                    for both in self._demand(node.expr, Region.point(10.0 + width), varied):
                        yield replace(both, forced=state.forced)

    def _copies(self, node: p.AggregateExpr, n: int, each: Region, state: State) -> Iterator[State]:
        """States in which the expression beneath has n elements of the region, each other in one label."""
        if n == 1:
            yield from self._demand(node.expr, each, state)
            return
        for label in islice(self._labels_to_vary(node), 4):
            found: State | None = state
            for place in range(n):
                if found is None:
                    break
                varied = replace(found, forced={**state.forced, label: _numbered(label, place)})
                found = next(self._demand(node.expr, each, varied), None)
            if found is not None:
                yield replace(found, forced=state.forced)

    def _labels_to_vary(self, node: p.AggregateExpr) -> Iterator[str]:
        own = node.modifier.labels if node.modifier and str(node.modifier.type).endswith("By") else ()
        inner = _unwrapped(node.expr)
        if isinstance(inner, p.AggregateExpr) and inner.modifier and str(inner.modifier.type).endswith("By"):
            yield from (label for label in inner.modifier.labels if label not in own)
        for found in selectors(node.expr)[:1]:
            yield from self.cast.label_to_vary(found, own)

    # Functions

    def _call(self, node: p.Call, region: Region, state: State) -> Iterator[State]:
        name, arguments = node.func.name, list(node.args)
        match name:
            case "absent" | "absent_over_time":
                if 1.0 in region:
                    yield from self._deny(_inner(arguments[0]), state)
            case (
                "scalar"
                | "sort"
                | "sort_desc"
                | "sort_by_label"
                | "sort_by_label_desc"
                | "label_replace"
                | "label_join"
            ):
                yield from self._demand(arguments[0], region, state)
            case "vector":
                yield from self._demand(arguments[0], region, state)
            case "timestamp":
                yield from self._demand(arguments[0], _ANY, state)
            case "histogram_quantile":
                yield from self._quantile(node, region, state)
            case _ if name in clock.CALENDAR and arguments:
                yield from self._calendar(name, arguments[0], region, state)
            case _ if name in passes_on.ELEMENTWISE:
                for wanted in passes_on.undone(
                    name, region, [clock.value(one, self.at) for one in arguments[1:]]
                ):
                    yield from self._demand(arguments[0], wanted, state)
            case _:
                yield from self._over_time(node, region, state)

    def _over_time(self, node: p.Call, region: Region, state: State) -> Iterator[State]:
        inside = next((one for one in node.args if isinstance(one, p.MatrixSelector | p.SubqueryExpr)), None)
        part = self._leaf(node)
        recorded = part is not None and part.selector.metric in self.recorded
        if part is not None and not recorded:
            yield from self._act(part, region, state)
        elif inside is not None:
            for wanted in passes_on.over_time(
                node.func.name, inside, region, self.interval_seconds, self.lasts_seconds
            ):
                inner = inside.vector_selector if isinstance(inside, p.MatrixSelector) else inside.expr
                yield from self._demand(inner, wanted, state)

    def _calendar(self, name: str, argument: p.Expr, region: Region, state: State) -> Iterator[State]:
        for hours in range(0, 24 * 40, 7):
            moment = hours * 3600.0
            if clock.at(name, moment) in region:
                yield from self._demand(argument, Region.point(moment), state)
                return

    def _quantile(self, node: p.Call, region: Region, state: State) -> Iterator[State]:
        wanted = clock.value(node.args[0], self.at)
        part = quantiles.buckets(node.args[1], self.interval_seconds)
        if wanted is None or part is None:
            return
        keys = self.cast.series(part.selector, state.bound, {**state.forced, "le": "+Inf"}, ())
        for key in islice(keys, 2):
            bounds = self.cast.bounds(part.selector.metric or "") or quantiles.guessed(region)
            for filled in self._ways(list(quantiles.masses(wanted, bounds, region))):
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

    # What must not be there

    def _deny(self, node: p.Expr, state: State) -> Iterator[State]:
        self._steps -= 1
        if self._steps < 0:
            raise OutOfSteps
        if (known := clock.value(node, self.at)) is not None:
            if math.isnan(known):
                yield state
            return
        match node:
            case p.ParenExpr() | p.UnaryExpr() | p.SubqueryExpr() | p.AggregateExpr():
                yield from self._deny(node.expr, state)
            case p.MatrixSelector():
                yield from self._deny(node.vector_selector, state)
            case p.VectorSelector() if (name := selector_of(node).metric) in self.recorded:
                for _, tree in self.recorded[name or ""][:1]:
                    yield from self._deny(tree, state)
            case p.VectorSelector():
                looks_back = node.offset is not None and node.offset.total_seconds() > 0
                if after := state.without(selector_of(node), earlier=looks_back):
                    yield after
            case p.Call() if node.func.name in ("absent", "absent_over_time"):
                yield from self._demand(_inner(node.args[0]), _ANY, state)
            case p.Call():
                for argument in _vectors(node):
                    yield from self._deny(argument, state)
            case p.BinaryExpr():
                yield from self._deny_operator(node, state)

    def _deny_operator(self, node: p.BinaryExpr, state: State) -> Iterator[State]:
        op = str(node.op)
        match op:
            case "and":
                for side in (node.lhs, node.rhs):
                    yield from self._deny(side, state)
                return
            case "or":
                for found in self._deny(node.lhs, state):
                    yield from self._deny(node.rhs, found)
                return
            case "unless":
                yield from self._deny(node.lhs, state)
                for found in self._demand(node.rhs, _ANY, state):
                    yield found
                return
        if op in COMPARISONS and not (node.modifier and node.modifier.return_bool):
            left, right = clock.value(node.lhs, self.at), clock.value(node.rhs, self.at)
            if left is not None and right is not None:
                if not calculated(op, left, right):
                    yield state
                return
            yield from self._pair(node, OPPOSITE[op], _ANY, state)
        for side in (node.lhs, node.rhs):
            yield from self._deny(side, state)


def _numbered(label: str, place: int) -> str:
    return f"127.0.0.1:{9090 + place}" if label == "instance" else f"{label}-{place + 1}"


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


def _unwrapped(node: p.Expr) -> p.Expr:
    while isinstance(node, p.ParenExpr):
        node = node.expr
    return node


def _inner(node: p.Expr) -> p.Expr:
    return node.vector_selector if isinstance(node, p.MatrixSelector) else node


def _vectors(node: p.Expr) -> Iterable[p.Expr]:
    return [one for one in getattr(node, "args", ()) if selectors(one)]
