"""Which expressions are asked, at which moments, and for which rules: the same one is asked once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import promql_parser as p

from opsconsole.clients.ranges import MOST_TICKS, Stretch
from opsconsole.errors import Nonsense
from opsconsole.promql import parse, pretty
from opsconsole.promql.trees import walk
from opsconsole.rehearse.backtest import history
from opsconsole.rehearse.backtest.model import Span
from opsconsole.rehearse.backtest.tally import Tally
from opsconsole.rehearse.model import Rule

_LONG_WINDOW_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Grid:
    """The moments of evaluation, unix milliseconds: `offset` after the multiples of `step`."""

    step: int
    offset: int

    def ticks(self, start: float, end: float) -> range:
        """Those between two moments, or the second moment alone; `start` and `end` are unix seconds."""
        first, last = round(1000 * start), round(1000 * end)
        first += (self.offset - first) % self.step
        return range(min(first, last), last + 1, self.step)


@dataclass
class Query:
    """One expression at the moments `ticks` (unix milliseconds), and the rules that it is asked for."""

    expr: str
    ticks: range
    tallies: list[Tally] = field(default_factory=list)

    def take(self, stretch: Stretch, outages: Sequence[Span]) -> None:
        """The next stretch of the answer."""
        for tally in self.tallies:
            tally.take(stretch, outages)

    def fail(self, why: str) -> None:
        """There is no answer."""
        for tally in self.tallies:
            tally.error = why


class Plan:
    """The queries of a back-test from `start` to `end`, unix seconds; from `data_from` where that is later,
    the moment from which there is data (None: there is none).

    Each query begins so much earlier than the start that `for` and `keep_firing_for` can have run by then,
    but not before there is data. `phases` are when the server evaluates its groups, by group and alert: where
    it is known, the evaluations here are some of the server's own.
    """

    def __init__(
        self,
        start: float,
        end: float,
        step_seconds: float,
        *,
        data_from: float | None,
        phases: history.Phases,
    ) -> None:
        self.start, self.end = max(start, data_from or start), end
        self.has_data = data_from is not None
        self._preceded_seconds = 0.0 if data_from is None else max(0.0, self.start - data_from)
        self._preceded = data_from is not None and data_from <= start
        self._step_seconds = step_seconds
        self._phases = phases
        self._by_alert = {alert: phase for (_, alert), phase in phases.items()}
        self._asked: dict[tuple[str, Grid], tuple[str, list[Tally]]] = {}
        self._grids: dict[int, Grid] = {}

    def tally(self, rule: Rule, expr: str) -> Tally:
        """The rule's tally, which the answer to `expr` will be given to."""
        if _reads_start_or_end(expr):
            return self.failed(rule, "it reads @ start() or @ end(), which mean another time in a range")
        tally, grid = self._new(rule)
        if not self._preceded:
            tally.notes += _window_notes(expr)
        self._asked.setdefault((_form(expr), grid), (expr, []))[1].append(tally)
        return tally

    def failed(self, rule: Rule, why: str) -> Tally:
        """The tally of a rule that cannot be asked."""
        tally, _ = self._new(rule)
        tally.error = why
        return tally

    def queries(self) -> list[Query]:
        """All that is to be asked."""
        found = []
        for (_, grid), (expr, tallies) in self._asked.items():
            warm_up = min(max(map(_warm_up_seconds, tallies)), self._preceded_seconds)
            found.append(Query(expr, grid.ticks(self.start - warm_up, self.end), tallies))
        return found

    def ticks(self, tally: Tally) -> range:
        """The moments at which a rule is evaluated, those before the start left out."""
        return self._grids[id(tally)].ticks(self.start, self.end)

    def _new(self, rule: Rule) -> tuple[Tally, Grid]:
        """A proposed rule is evaluated when the loaded one of its name is, unless its group differs."""
        known = self._phases.get((rule.group, rule.alert)) or self._by_alert.get(rule.alert)
        interval = rule.interval_seconds or (known.interval_seconds if known else 0.0)
        step = self._step(interval)
        offset = known.offset_seconds if known and known.interval_seconds == interval else 0.0
        grid = Grid(round(1000 * step), round(1000 * offset))
        tally = Tally(rule, step, self.start, self.end)
        self._grids[id(tally)] = grid
        return tally, grid

    def _step(self, interval: float) -> float:
        """The interval, or what of its multiples is not below the step that was asked for."""
        if not interval:
            return self._step_seconds
        if (self.end - self.start) / interval <= MOST_TICKS:
            return interval
        return interval * max(1, math.ceil(self._step_seconds / interval))


def _reads_start_or_end(expr: str) -> bool:
    try:
        tree = parse(expr)
    except Nonsense:
        return False
    moments = (node.at for node in walk(tree) if isinstance(node, p.VectorSelector | p.SubqueryExpr))
    return any(moment and moment.type != p.AtModifierType.At for moment in moments)


def _warm_up_seconds(tally: Tally) -> float:
    return tally.rule.for_seconds + tally.rule.keep_firing_for_seconds


def _form(expr: str) -> str:
    try:
        return pretty(expr)
    except Nonsense:
        return expr


def _window_notes(expr: str) -> list[str]:
    try:
        window = history.window_seconds(expr)
    except Nonsense:
        return []
    if window < _LONG_WINDOW_SECONDS:
        return []
    hours = f"{window / 3600:g} h"
    return [f"reads {hours} back, and sees less than that in the first {hours} of the history"]
