"""What was given, when it is seen, when it leaves the window again, and whether it has moved its series."""

import math
from dataclasses import dataclass

from opsconsole.walkthrough.band import CannotHold, Dose, Goal, Moment, Reading

_FRUITLESS_ROUNDS = 4
_LATENCIES = 5
_SOON = 1e-4  # seconds
_NEWS = 0.3  # how much one reading weighs in what the traffic usually is


@dataclass
class _Given:
    """A dose on its way. `counted_at` is when its requests are counted at the latest, expected until they are
    answered; `seen_at` the first scrape that has them, None while none has; `settled`: whether they moved
    their series is known (a counter that is new shows nothing of what it was born with)."""

    dose: Dose
    issued_at: float
    counted_at: float
    answered: bool = False
    seen_at: float | None = None
    settled: bool = False
    bad_moved: bool = True
    passing_moved: bool = True


class Ledger:
    """The doses that count, or will.

    `usual` is what there is beside them on average, None before the first reading; `passing_proven`: passing
    requests were seen to count."""

    def __init__(self, goal: Goal) -> None:
        self.goal = goal
        self.passing_proven = False
        self._given: list[_Given] = []
        self._latencies: list[float] = []
        self._fruitless: list[int] = []
        self._bad_proven = False
        self._born_at: float | None = None
        self.usual: Moment | None = None

    @property
    def passing_on_trial(self) -> bool:
        """Whether passing requests were given of which nobody knows yet whether they count."""
        return not self.passing_proven and any(g.dose.passing and not g.settled for g in self._given)

    def latency_seconds(self, now: float) -> float:
        """How long it takes until a dose is answered: as told, as it was of late, or is by now."""
        waiting = [now - given.issued_at for given in self._given if not given.answered]
        return max([self.goal.answer_seconds, *self._latencies, *waiting])

    def issue(self, dose: Dose, now: float) -> None:
        """This dose is being given from now on."""
        self._given.append(_Given(dose, now, now + self.latency_seconds(now)))

    def answered(self, dose: Dose, at: float) -> bool:
        """The first such dose was answered; False where none was being given."""
        for given in self._given:
            if given.dose == dose and not given.answered:
                given.answered, given.counted_at = True, at
                self._latencies = [*self._latencies[1 - _LATENCIES :], at - given.issued_at]
                return True
        return False

    def see(self, reading: Reading, now: float) -> Moment:
        """What the reading counts that is not ours. Learns which doses it has, and forgets those that left.

        Raises CannotHold where dose after dose has moved nothing.
        """
        self._note(reading, now)
        room = Moment(reading.bad, 1.0 if self.goal.alone else reading.total)
        seen = [given for given in self._given if given.seen_at is not None]
        for given in seen:
            if not given.settled and self._shown(given, reading):
                self._settle(given, room)
            room = Moment(room.bad - self._bad(given), room.total - self._total(given))
        if len(self._fruitless) >= _FRUITLESS_ROUNDS:
            count = sum(self._fruitless)
            raise CannotHold(f"{count} requests were answered as expected and the metric does not move")
        all_settled = all(given.settled for given in seen)
        return self._bare(Moment(max(0.0, room.bad), max(0.0, room.total)), reading, all_settled)

    def _note(self, reading: Reading, now: float) -> None:
        latency_seconds = self.latency_seconds(now)
        for given in self._given:
            if not given.answered:
                given.counted_at = given.issued_at + latency_seconds
            elif given.seen_at is None and given.counted_at <= reading.scraped_at:
                given.seen_at = self.scrape(reading, given.counted_at)
        at = max(reading.evaluated_at, reading.scraped_at)
        self._given = [given for given in self._given if self._until(given, reading) > at + _SOON]

    def _bare(self, rest: Moment, reading: Reading, all_settled: bool) -> Moment:
        """What is not ours, where `rest` is left of the reading; what there was before, while it is not known
        whether the first dose has moved anything, and while a series is young."""
        usual = self.usual or rest
        if not all_settled and not (self._bad_proven or self.passing_proven):
            return usual
        if self._young(reading):
            return Moment(min(rest.bad, usual.bad), rest.total)
        if all_settled:
            self.usual = Moment(*(old + (new - old) * _NEWS for old, new in zip(usual, rest, strict=True)))
        return rest

    def moment(self, bare: Moment, reading: Reading, scrape: float) -> Moment:
        """What is counted from this scrape until just before the next, beside traffic that stays as it is;
        all that was given is counted by then."""
        end = scrape + self.goal.scrape_seconds
        there = [given for given in self._given if end <= self._until(given, reading) + _SOON]
        return Moment(
            bare.bad + math.fsum(map(self._bad, there)), bare.total + math.fsum(map(self._total, there))
        )

    def scrape(self, reading: Reading, at: float) -> float:
        """The first scrape at or after this time."""
        interval = self.goal.scrape_seconds
        return reading.scraped_at + math.ceil((at - reading.scraped_at) / interval - 1e-6) * interval

    def _settle(self, given: _Given, room: Moment) -> None:
        """Learn whether the dose has moved its series. Of a series that has moved once, more is not asked:
        where scrapes fail, counts come and go for other reasons."""
        given.settled = True
        bad, passing = given.dose
        usual = self.usual or room
        if bad and not self._bad_proven:
            given.bad_moved = self._bad_proven = _moved(self._bad(given), room.bad, usual.bad)
        if passing and not self.passing_proven:
            own = self._bad(given) if self.goal.counted else 0.0
            passed = self._total(given) - own
            given.passing_moved = self.passing_proven = _moved(passed, room.total - own, usual.total)
        if given.bad_moved and given.passing_moved:
            self._fruitless.clear()
        else:
            self._born_at = given.seen_at
            self._fruitless.append(bad + passing)

    def _shown(self, given: _Given, reading: Reading) -> bool:
        """Whether one more scrape than the first has had the dose."""
        return (
            given.seen_at is not None and reading.scraped_at >= given.seen_at + 0.9 * self.goal.scrape_seconds
        )

    def _young(self, reading: Reading) -> bool:
        """Whether a series was born within the window: a rate takes what few scrapes have found for what the
        time between them brings, so it is estimated high, and what was there before is what counts."""
        return self._born_at is not None and reading.scraped_at < self._born_at + self.goal.window_seconds

    def _until(self, given: _Given, reading: Reading) -> float:
        """When the dose leaves the window."""
        seen_at = self.scrape(reading, given.counted_at) if given.seen_at is None else given.seen_at
        return seen_at + self.goal.kept_seconds

    def _bad(self, given: _Given) -> float:
        return given.dose.bad * given.bad_moved * self.goal.estimated

    def _total(self, given: _Given) -> float:
        if self.goal.alone:
            return 0.0
        passing = given.dose.passing * given.passing_moved * self.goal.estimated
        return passing + (self._bad(given) if self.goal.counted else 0.0)


def _moved(given: float, counted: float, before: float) -> bool:
    """Whether more is counted than before, as it must; where it is too little to tell, it is believed."""
    return counted >= before + given / 2 or given / 2 <= math.sqrt(before)
