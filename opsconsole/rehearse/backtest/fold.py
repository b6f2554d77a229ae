"""What Prometheus' rule manager makes of an expression's results: pending, firing, resolved. Pure.

As in its `AlertingRule.Eval`: an alert is pending from the first evaluation that returns it and fires at the
first at which it has been active for `for` or longer. One that is pending and not returned is forgotten. One
that fires and is not returned is resolved at that evaluation; with `keep_firing_for`, at the first that is so
much later than the first of those in a row that did not return it. An evaluation that fails changes nothing.
Times are unix milliseconds, which is how finely Prometheus tells them.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from opsconsole.rehearse.backtest.labels import LabelSet

Worst = Callable[..., float]
"""`max`, or `min` where low values are the bad ones."""


@dataclass(slots=True)
class Spell:
    """An alert from its first evaluation on. `firing` is None while it is pending; `ended` is the first
    evaluation at which it was neither, None while it goes on."""

    key: LabelSet
    pending: int
    firing: int | None = None
    ended: int | None = None
    peak: float = math.nan
    missing: int | None = None
    """Since which evaluation it fires only because of `keep_firing_for`."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The evaluations that returned one alert, and the values that they returned."""

    key: LabelSet
    ticks: Sequence[int]
    values: Sequence[float]


class Fold:
    """The alerts of one rule. It is fed the evaluations in the order of time, stretch by stretch, and holds
    nothing but what is pending or firing."""

    def __init__(self, for_seconds: float, keep_firing_for_seconds: float = 0.0, worst: Worst = max) -> None:
        self._for = round(1000 * for_seconds)
        self._keep = round(1000 * keep_firing_for_seconds)
        self._worst = worst
        self._active: dict[LabelSet, Spell] = {}

    def feed(self, ticks: Sequence[int], seen: Iterable[Seen]) -> list[Spell]:
        """Take the evaluations at `ticks`, one `Seen` for each alert that any of them returned. Gives the
        spells that end in this stretch, those that never fired included."""
        ended: list[Spell] = []
        returned = set()
        for one in seen:
            returned.add(one.key)
            ended += self._follow(one, ticks)
        for spell in [spell for key, spell in self._active.items() if key not in returned]:
            ended += self._absent(spell, ticks, 0, len(ticks))
        return ended

    def ongoing(self) -> list[Spell]:
        """What is pending or firing after the last evaluation."""
        return list(self._active.values())

    def _follow(self, one: Seen, ticks: Sequence[int]) -> Iterator[Spell]:
        at = 0
        for first, last, values in _runs(one, ticks):
            if spell := self._active.get(one.key):
                yield from self._absent(spell, ticks, at, first)
            self._present(one.key, ticks, first, last, values)
            at = last
        if spell := self._active.get(one.key):
            yield from self._absent(spell, ticks, at, len(ticks))

    def _present(
        self, key: LabelSet, ticks: Sequence[int], first: int, last: int, values: Sequence[float]
    ) -> None:
        spell = self._active.setdefault(key, Spell(key, ticks[first]))
        spell.missing = None
        if spell.firing is None:
            fires = bisect_left(ticks, spell.pending + self._for, first, last)
            spell.firing = ticks[fires] if fires < last else None
        numbers = [value for value in values if not math.isnan(value)]
        if numbers:
            peak = self._worst(numbers)
            spell.peak = peak if math.isnan(spell.peak) else self._worst(peak, spell.peak)

    def _absent(self, spell: Spell, ticks: Sequence[int], first: int, last: int) -> Iterator[Spell]:
        if first == last:
            return
        ends = first
        if spell.firing is not None and self._keep:
            if spell.missing is None:
                spell.missing = ticks[first]
            ends = bisect_left(ticks, spell.missing + self._keep, first, last)
        if ends < last:
            spell.ended = ticks[ends]
            yield self._active.pop(spell.key)


def _runs(one: Seen, ticks: Sequence[int]) -> Iterator[tuple[int, int, Sequence[float]]]:
    """The runs of evaluations without a gap, as positions in `ticks`, from the first to before the second,
    with their values."""
    count = len(one.ticks)
    if count == len(ticks):
        yield 0, count, one.values
        return
    begin = 0
    while begin < count:
        first = bisect_left(ticks, one.ticks[begin])
        end = begin + 1
        while end < count and one.ticks[end] == ticks[first + end - begin]:
            end += 1
        yield first, first + end - begin, one.values[begin:end]
        begin = end
