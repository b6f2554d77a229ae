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
from opsconsole.promql.trees import selector as selector_of
from opsconsole.rehearse.model import Rule
from opsconsole.rehearse.search import aggregations, clock, functions, operators
from opsconsole.rehearse.search.acts import Act, State
from opsconsole.rehearse.search.arithmetic import calculated
from opsconsole.rehearse.search.cast import Cast
from opsconsole.rehearse.search.leaves import Leaf, leaf
from opsconsole.rehearse.search.regions import Region
from opsconsole.rehearse.search.texts import accepted, takes

_T = TypeVar("_T")
_ANY = Region()
_MOST_PICKS = 7
_MOST_SERIES = 4
_STEPS = 1500


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
        yield from self.demand(tree, _ANY, state or State())

    def empty(self, tree: p.Expr, state: State) -> Iterator[State]:
        """States in which the expression should have none."""
        yield from self.deny(tree, state)

    def demand(self, node: p.Expr, region: Region, state: State) -> Iterator[State]:
        """States in which the expression has an element of the region, with all that was decided before.

        Raises OutOfSteps."""
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
                yield from self.demand(node.expr, region, state)
            case p.UnaryExpr():
                yield from self.demand(node.expr, region.scaled(-1), state)
            case p.VectorSelector() if selector_of(node).metric in self.recorded:
                yield from self._recorded(node, region, state)
            case p.VectorSelector():
                yield from self.act(self.leaf(node), region, state)
            case p.BinaryExpr():
                yield from operators.operated(self, node, region, state)
            case p.AggregateExpr():
                yield from aggregations.aggregated(self, node, region, state)
            case p.Call():
                yield from functions.called(self, node, region, state)
            case p.SubqueryExpr():
                yield from self.demand(node.expr, region, state)

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
            for found in self.demand(
                tree,
                region,
                replace(state, bound={**state.bound, **forced}, forced={**state.forced, **forced}),
            ):
                yield replace(found, forced=state.forced)

    def leaf(self, node: p.Expr) -> Leaf | None:
        """The node as a leaf, of this incident."""
        return leaf(node, self.interval_seconds, self.lasts_seconds)

    def act(self, part: "Leaf | None", region: Region, state: State) -> Iterator[State]:
        """States in which one series of a selector does what gives a value of the region."""
        if part is None:
            return
        if part.fixed is not None and part.fixed not in region:
            region = _ANY  # perhaps it works out otherwise; the rule engine will tell
        for key in self.series(part, state):
            act = state.acts.get(key, Act())
            for value in self.picks(part.component_region(region), part.usual(self.calm)):
                changed = part.acted(act, value)
                if changed is not None and (after := state.with_act(key, changed)):
                    yield after

    def series(self, part: Leaf, state: State) -> Iterator[tuple[tuple[str, str], ...]]:
        """Series that the leaf can be: those that take part, then others."""
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
        yield from self.ways([*forced, *first, *rest][: _MOST_SERIES + 2])

    def picks(self, region: Region, usual: float) -> list[float]:
        """Numbers of the region to try, the likely first; on a calm day the usual one."""
        if self.calm:
            usual_first = [usual] if usual in region else []
            others = sorted(islice(region.picks(usual), _MOST_PICKS), key=lambda pick: pick in region.ends)
            return list(dict.fromkeys([*usual_first, *others]))
        return self.ways(list(islice(region.picks(usual), _MOST_PICKS)))

    def ways(self, ways: list[_T]) -> list[_T]:
        """The same in another order, where the seed asks for it."""
        if self.seed and len(ways) > 1:
            self._random.shuffle(ways)
        return ways

    def usual(self, node: p.Expr) -> float:
        """What an expression gives on an ordinary day, by its form."""
        match node:
            case p.ParenExpr() | p.UnaryExpr():
                return self.usual(node.expr)
            case p.AggregateExpr():
                return 3.0 if str(node.op) in ("count", "count_values", "group") else self.usual(node.expr)
            case p.Call() if node.func.name in ("histogram_quantile", "timestamp"):
                return self.at if node.func.name == "timestamp" else 1.0
            case p.BinaryExpr():
                return (
                    1.0 if str(node.op) == "/" else self.usual(node.lhs if selectors(node.lhs) else node.rhs)
                )
        part = self.leaf(node)
        if part is not None:
            return part.usual_value
        inner = next((child for child in _vectors(node)), None)
        return self.usual(inner) if inner is not None else 100.0

    def known(self, node: p.Expr, state: State) -> float | None:
        """What the decisions so far make of an expression; None where it is open still."""
        if (known := clock.value(node, self.at)) is not None:
            return known
        match node:
            case p.ParenExpr():
                return self.known(node.expr, state)
            case p.UnaryExpr():
                inner = self.known(node.expr, state)
                return None if inner is None else -inner
            case p.BinaryExpr():
                left, right = self.known(node.lhs, state), self.known(node.rhs, state)
                return None if left is None or right is None else calculated(str(node.op), left, right)
            case p.AggregateExpr() if str(node.op) == "sum":
                return self.assigned(node.expr, state)
            case p.AggregateExpr() if str(node.op) in ("avg", "min", "max"):
                return self.known(node.expr, state)
        part = self.leaf(node)
        values = [part.value(state.acts[key]) for key in state.found_by(part.selector)] if part else []
        return values[0] if values else None

    def assigned(self, node: p.Expr, state: State) -> float | None:
        """The sum of what the series beneath do already; None where there are none, or one is not decided."""
        part = self.leaf(node)
        if part is None:
            return self.known(node, state)
        values = [part.value(state.acts[key]) for key in state.found_by(part.selector)]
        known = [value for value in values if value is not None]
        return sum(known) if known and len(known) == len(values) else None

    def deny(self, node: p.Expr, state: State) -> Iterator[State]:
        """States in which the expression has no element. Raises OutOfSteps."""
        self._steps -= 1
        if self._steps < 0:
            raise OutOfSteps
        if (known := clock.value(node, self.at)) is not None:
            if math.isnan(known):
                yield state
            return
        match node:
            case p.ParenExpr() | p.UnaryExpr() | p.SubqueryExpr() | p.AggregateExpr():
                yield from self.deny(node.expr, state)
            case p.MatrixSelector():
                yield from self.deny(node.vector_selector, state)
            case p.VectorSelector() if (name := selector_of(node).metric) in self.recorded:
                for _, tree in self.recorded[name or ""][:1]:
                    yield from self.deny(tree, state)
            case p.VectorSelector():
                looks_back = node.offset is not None and node.offset.total_seconds() > 0
                if after := state.without(selector_of(node), earlier=looks_back):
                    yield after
            case p.Call() if node.func.name in ("absent", "absent_over_time"):
                yield from self.demand(_inner(node.args[0]), _ANY, state)
            case p.Call():
                for argument in _vectors(node):
                    yield from self.deny(argument, state)
            case p.BinaryExpr():
                yield from operators.denied(self, node, state)


def _inner(node: p.Expr) -> p.Expr:
    return node.vector_selector if isinstance(node, p.MatrixSelector) else node


def _vectors(node: p.Expr) -> Iterable[p.Expr]:
    return [one for one in getattr(node, "args", ()) if selectors(one)]
