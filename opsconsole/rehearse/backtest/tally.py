"""What one rule's back-test adds up to, while the answers come."""

from array import array
from collections.abc import Sequence

from opsconsole.clients.ranges import Points, Stretch
from opsconsole.errors import Nonsense
from opsconsole.promql import comparison, parse
from opsconsole.rehearse.backtest import spans
from opsconsole.rehearse.backtest.fold import Fold, Seen, Spell, Worst
from opsconsole.rehearse.backtest.labels import Labelling, LabelSet
from opsconsole.rehearse.backtest.model import BackTest, Episode, Span
from opsconsole.rehearse.model import Rule

MOST_EPISODES = 10_000
"""Of one rule; more are counted, and no more of them kept."""


class Tally:
    """Folds the stretches of one rule's expression, and keeps what fired between `start` and `end`."""

    def __init__(self, rule: Rule, step_seconds: float, start: float, end: float) -> None:
        self.rule = rule
        self.error = ""
        self._step_seconds = step_seconds
        self._start, self._end = start, end
        self._labelling = Labelling(rule)
        self.notes = self._labelling.notes()
        self._fold = Fold(rule.for_seconds, rule.keep_firing_for_seconds, _worst(rule.expr))
        self._episodes: list[Episode] = []
        self._fired = self._near_misses = self._clashes = 0
        self._spans = spans.Union()
        self._failed: dict[str, float] = {}
        self._evaluated = False

    def take(self, stretch: Stretch, outages: Sequence[Span] = ()) -> None:
        """The next stretch. In an outage nothing fires."""
        if stretch.failed:
            lost = len(stretch.ticks) * self._step_seconds
            self._failed[stretch.failed] = self._failed.get(stretch.failed, 0.0) + lost
            return
        self._evaluated = True
        alerts, clashes = self._alerts(stretch.series)
        self._clashes += len(clashes)
        ticks = [tick for tick in stretch.ticks if tick not in clashes] if clashes else stretch.ticks
        down = {t for first, last in outages for t in stretch.ticks if 1000 * first <= t < 1000 * last}
        seen = (Seen(key, one.ticks, one.values) for key, one in alerts.items())
        if clashes or down:
            seen = (_without(one, clashes | down) for one in seen)
        for spell in self._fold.feed(ticks, (one for one in seen if one.ticks)):
            self._ended(spell)

    def result(self) -> BackTest:
        """What came of it, when all stretches are taken."""
        error = self.error or ("" if self._evaluated else "; ".join(self._failed))
        if error:
            return BackTest(rule=self.rule, step_seconds=self._step_seconds, error=error)
        for spell in self._fold.ongoing():
            if spell.firing is not None:
                self._ended(spell)
        return BackTest(
            rule=self.rule,
            step_seconds=self._step_seconds,
            episodes=tuple(sorted(self._episodes, key=lambda one: one.firing_at)),
            fired=self._fired,
            near_misses=self._near_misses,
            spans=(joined := self._spans.joined()),
            seconds_firing=spans.seconds(joined),
            notes=(*self.notes, *self._failures()),
        )

    def _alerts(self, series: Sequence[Points]) -> tuple[dict[LabelSet, Points], set[int]]:
        """The series by the labels of their alerts, and when two had the same: then an evaluation fails."""
        alerts: dict[LabelSet, Points] = {}
        clashes: set[int] = set()
        for one in series:
            key = self._labelling.of(one.labels)
            if (other := alerts.get(key)) is not None:
                clashes.update(set(one.ticks).intersection(other.ticks))
                one = _merged(one, other)
            alerts[key] = one
        return alerts, set() if self._labelling.unknown else clashes

    def _ended(self, spell: Spell) -> None:
        until = self._end if spell.ended is None else spell.ended / 1000
        if until <= self._start:
            return
        if spell.firing is None:
            self._near_misses += 1
            return
        self._fired += 1
        self._spans.add(max(spell.firing / 1000, self._start), until)
        if len(self._episodes) < MOST_EPISODES:
            self._episodes.append(self._episode(spell, spell.firing))

    def _episode(self, spell: Spell, firing: int) -> Episode:
        return Episode(
            labels=self._labelling.shown(spell.key),
            pending_at=spell.pending / 1000,
            firing_at=firing / 1000,
            ended_at=None if spell.ended is None else spell.ended / 1000,
            peak=spell.peak,
        )

    def _failures(self) -> list[str]:
        told = [
            f"the server cannot evaluate it for {lost:.0f} s: {why}" for why, lost in self._failed.items()
        ]
        if self._clashes:
            told.append(
                f"{self._clashes} evaluations fail: two of its alerts have the same labels once the rule's "
                "labels are applied"
            )
        return told


def _merged(a: Points, b: Points) -> Points:
    """Both as one: at a moment that both have, either value."""
    values = dict(zip(a.ticks, a.values, strict=True)) | dict(zip(b.ticks, b.values, strict=True))
    ticks = sorted(values)
    return Points(a.labels, array("q", ticks), array("d", (values[tick] for tick in ticks)))


def _without(seen: Seen, ticks: set[int]) -> Seen:
    kept = [(tick, value) for tick, value in zip(seen.ticks, seen.values, strict=True) if tick not in ticks]
    return Seen(seen.key, [tick for tick, _ in kept], [value for _, value in kept])


def _worst(expr: str) -> Worst:
    """Low values are the bad ones where the rule asks for less than a bound."""
    try:
        found = comparison(parse(expr))
    except Nonsense:
        return max
    return min if found and found.op in ("<", "<=") else max
