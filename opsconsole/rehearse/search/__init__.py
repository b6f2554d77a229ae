"""Incidents that should fire an alert, built from its expression and the series that there are."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import product

import promql_parser as p

from opsconsole.promql import parse, selectors
from opsconsole.rehearse.model import Candidate, Rule
from opsconsole.rehearse.schema import Schema
from opsconsole.rehearse.search import clock
from opsconsole.rehearse.search.acts import State
from opsconsole.rehearse.search.cast import Cast
from opsconsole.rehearse.search.incidents import incident
from opsconsole.rehearse.search.limits import limits
from opsconsole.rehearse.search.solver import OutOfSteps, Solver
from opsconsole.rehearse.search.timing import Timing, bursts, timing

__all__ = ["candidates", "limits", "resting"]

Recorded = Mapping[str, Sequence[Rule]]
_MOST_DEEP = 8
_MOST_STATES = 16
_BARE_SEED = 2
_LONG_PAST_SECONDS = 3 * 86_400.0
_LONGER_PAST_SECONDS = 45 * 86_400.0


def candidates(rule: Rule, schema: Schema, recorded: Recorded, *, seed: int = 0) -> Iterator[Candidate]:
    """Incidents for one alert, the likely and small ones first: at most some ten for each `seed`, each of
    which looks elsewhere. Raises Nonsense for what is not PromQL."""
    tree = parse(rule.expr)
    rests_on = resting(rule, recorded)
    trees = [tree, *(parse(one.expr) for one in rests_on)]
    made = {
        name: [(one, parse(one.expr)) for one in recorded[name]]
        for name in dict.fromkeys(one.record for one in rests_on)
    }
    cast = Cast(trees, schema, bare=seed == _BARE_SEED)
    most = 2 if seed else 1 if _by_the_calendar(trees) else _MOST_DEEP
    seen: set[object] = set()
    for moment, burst in product(_moments(trees, seed), (False, True) if bursts(trees) else (False,)):
        if len(seen) >= _MOST_STATES:
            return
        when = timing(
            trees,
            rule.for_seconds,
            rule.keep_firing_for_seconds,
            records=bool(rests_on),
            begins_at=moment,
            burst=burst,
            longest_past_seconds=_LONGER_PAST_SECONDS if seed else _LONG_PAST_SECONDS,
        )
        at = when.clock_at + when.evaluation_seconds
        solver = Solver(
            cast, made, at, when.interval_seconds, when.during_seconds if when.partly else None, seed
        )
        for state in _states(solver, tree, most):
            mark = frozenset(state.acts.items()), state.barred, state.stopped, moment, burst
            if mark in seen:
                continue
            seen.add(mark)
            for calm in (*_calms(cast, made, when, tree, state), None):
                made_up = incident(
                    state,
                    calm,
                    when,
                    schema,
                    size=float(len(seen) + 100 * seed),
                    for_seconds=rule.for_seconds,
                )
                yield Candidate(rule=rule, incident=made_up, rests_on=rests_on)


def resting(rule: Rule, recorded: Recorded) -> tuple[Rule, ...]:
    """The recording rules that a rule's expression reads, directly or through others, those first that others
    need. Rules that read themselves are taken once."""
    found: dict[int, Rule] = {}

    def visit(expr: str, above: tuple[str, ...]) -> None:
        for selector in selectors(parse(expr)):
            for one in recorded.get(selector.metric or "", ()):
                if id(one) not in found and one.record not in above:
                    visit(one.expr, (*above, one.record))
                    found.setdefault(id(one), one)

    visit(rule.expr, (rule.record,) if rule.record else ())
    return tuple(found.values())


def _states(solver: Solver, tree: p.Expr, most: int) -> list[State]:
    found: list[State] = []
    with suppress(OutOfSteps, RecursionError):
        for state in solver.fired(tree):
            found.append(state)
            if len(found) >= most:
                break
    return found


def _calms(
    cast: Cast, made: Mapping[str, Sequence[tuple[Rule, p.Expr]]], when: Timing, tree: p.Expr, state: State
) -> Iterator[State]:
    """What the same series do when nothing is wrong, if that can be found."""
    calm = Solver(cast, made, when.clock_at, when.interval_seconds, calm=True)
    with suppress(OutOfSteps, RecursionError):
        found = next(calm.empty(tree, State(bound=state.bound)), None)
        if found is not None:
            yield replace(found, barred=())


def _by_the_calendar(trees: Sequence[p.Expr]) -> bool:
    return any(clock.reads_the_calendar(tree) for tree in trees)


def _moments(trees: Sequence[p.Expr], seed: int) -> list[float | None]:
    """When the incident may begin: any time, or where the calendar is read, times over the week and year."""
    if not _by_the_calendar(trees):
        return [None]
    hours = [day * 24 + hour for day in range(8) for hour in (0, 1, 3, 6, 9, 10, 12, 14, 16, 18, 20, 22, 23)]
    days = [day * 24 + 10 for day in (*range(8, 32), 45, 75, 105, 136, 166, 197, 228, 258, 289, 319, 350)]
    return [3600.0 * hour for hour in (*hours, *days)] if not seed else []
