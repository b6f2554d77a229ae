"""The closed loop: how many requests to send now so that an alert's value stays just over its threshold.

Pure: readings and times go in, doses come out; all times are unix seconds of one clock. What a request does
to a counter is seen by the next scrape, and stays in a rate's window until the scrape before that leaves it:
for the window less one scrape interval. The loop knows when it gave what, and replaces what leaves next.
"""

import math
from dataclasses import dataclass

from opsconsole.walkthrough.band import (
    LATE,
    MOST_PER_SECOND,
    CannotHold,
    Dose,
    Forecast,
    Goal,
    Moment,
    Need,
    Reading,
)

__all__ = ["CannotHold", "Dose", "Forecast", "Goal", "Loop", "Reading", "forecast"]

_FRUITLESS_ROUNDS = 4
_LATENCIES = 5


def forecast(goal: Goal, reading: Reading, hold_seconds: float) -> Forecast:
    """What holding the goal for so long will take, beside the traffic of this reading. Raises CannotHold."""
    need = Need(goal, Moment(reading.bad, 1.0 if goal.alone else reading.total), _ahead_seconds(goal))
    dose, least = need.steady(), need.least()
    per_second = sum(dose) / goal.period_seconds
    after_first = max(0.0, hold_seconds - goal.period_seconds)
    return Forecast(
        first=sum(dose),
        per_second=per_second,
        requests=sum(dose) + math.ceil(per_second * after_first),
        fewest=sum(least) * max(1, math.ceil(hold_seconds / goal.kept_seconds)),
    )


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


class Loop:
    """The controller of one alert's fault; `sent` and `passing` count the requests asked for so far."""

    def __init__(self, goal: Goal) -> None:
        self.goal = goal
        self.sent = 0
        self.passing = 0
        self._given: list[_Given] = []
        self._latencies: list[float] = []
        self._fruitless: list[int] = []
        self._dilution_proven = False
        self._born_at: float | None = None
        self._bad_before = 0.0

    def next(self, reading: Reading, now: float) -> Dose:
        """The requests to send now; none of either is a common answer.

        Raises CannotHold where the value cannot be held in its band, or the metric does not move.
        """
        if reading.scraped_at <= 0:
            return Dose(0, 0)
        bare = self._see(reading)
        start = now + max([self.goal.answer_seconds, *self._latencies])
        scrapes = self._scrapes(reading, start)
        need = Need(self.goal, bare, scrapes[-1] + self.goal.scrape_seconds - reading.scraped_at)
        dose = need.dose([self._moment(bare, reading, at) for at in scrapes])
        if dose == (0, 0):
            return dose
        need.steady()
        dose = self._first_part(dose)
        self._issue(dose, now, now + self.goal.answer_seconds)
        return dose

    def gave(self, dose: Dose, at: float) -> None:
        """This dose was answered at `at`; scrapes before that may not have it."""
        for given in self._given:
            if given.dose == dose and not given.answered:
                self._latencies = [*self._latencies[1 - _LATENCIES :], at - given.issued_at]
                break
        else:
            given = self._issue(dose, at, at)
        given.answered, given.counted_at = True, at

    def _first_part(self, dose: Dose) -> Dose:
        """As much as may be sent at once; passing ones alone, until they were seen to count."""
        most = int(MOST_PER_SECOND * max(1.0, self.goal.scrape_seconds))
        passing = min(dose.passing, most)
        if passing and not self._dilution_proven:
            return Dose(0, passing)
        return Dose(min(dose.bad, most - passing), passing)

    def _scrapes(self, reading: Reading, start: float) -> list[float]:
        """The scrapes that a dose sent now will be the last to act on: from the first that has it, until the
        one that has what is sent after the next reading."""
        scrape = self.goal.scrape_seconds
        first = self._scrape(reading, start)
        after = self._scrape(reading, start + (1 + LATE) * scrape)
        return [first + n * scrape for n in range(max(1, round((after - first) / scrape)))]

    def _scrape(self, reading: Reading, at: float) -> float:
        """The first scrape at or after this time."""
        scrape = self.goal.scrape_seconds
        return reading.scraped_at + math.ceil((at - reading.scraped_at) / scrape - 1e-6) * scrape

    def _issue(self, dose: Dose, now: float, counted_at: float) -> _Given:
        given = _Given(dose, now, counted_at)
        self._given.append(given)
        self.sent += dose.bad
        self.passing += dose.passing
        return given

    def _see(self, reading: Reading) -> Moment:
        """What the reading counts that is not ours. Notes which doses it has, and drops what it has no more.

        Raises CannotHold where dose after dose has moved nothing.
        """
        scrape, scraped_at = self.goal.scrape_seconds, reading.scraped_at
        for given in self._given:
            if given.seen_at is None and given.answered and given.counted_at <= scraped_at:
                given.seen_at = self._scrape(reading, given.counted_at)
        self._given = [
            g for g in self._given if self._until(g, reading) > max(reading.evaluated_at, scraped_at)
        ]
        room = Moment(reading.bad, reading.total)
        for given in self._given:
            if given.seen_at is None:
                continue
            if not given.settled and scraped_at >= given.seen_at + 0.9 * scrape:
                self._settle(given, room)
            room = Moment(room.bad - self._bad(given), room.total - self._total(given))
        if len(self._fruitless) >= _FRUITLESS_ROUNDS:
            raise CannotHold(
                f"{sum(self._fruitless)} requests were answered as expected and the metric does not move"
            )
        return self._bare(max(0.0, room.bad), max(0.0, room.total), reading)

    def _bare(self, bad: float, total: float, reading: Reading) -> Moment:
        """What is not ours. A series that was just born is estimated high, for a rate takes what few scrapes
        have found for what the time between them brings: then what there was before the first dose counts."""
        if not self._given:
            self._bad_before = bad
        if self._born_at is not None and reading.scraped_at < self._born_at + self.goal.window_seconds:
            bad = min(bad, self._bad_before)
        return Moment(bad, 1.0 if self.goal.alone else total)

    def _settle(self, given: _Given, room: Moment) -> None:
        """Learn, a scrape after the first that has the dose, whether it has moved its series."""
        given.settled = True
        bad, passing = given.dose
        given.bad_moved = not bad or room.bad > self._bad(given) / 2
        room_passing = room.total - (self._bad(given) if self.goal.counted else 0.0)
        given.passing_moved = not passing or room_passing > passing * self.goal.estimated / 2
        self._dilution_proven |= passing > 0 and given.passing_moved
        if given.bad_moved and given.passing_moved:
            self._fruitless.clear()
        else:
            self._born_at = given.seen_at
            self._fruitless.append(bad + passing)

    def _moment(self, bare: Moment, reading: Reading, scrape: float) -> Moment:
        """What is counted from this scrape until just before the next."""
        next_one = scrape + self.goal.scrape_seconds
        there = [g for g in self._given if g.counted_at <= scrape and next_one <= self._until(g, reading)]
        return Moment(
            bare.bad + math.fsum(map(self._bad, there)), bare.total + math.fsum(map(self._total, there))
        )

    def _until(self, given: _Given, reading: Reading) -> float:
        """When the dose leaves the window."""
        seen_at = self._scrape(reading, given.counted_at) if given.seen_at is None else given.seen_at
        return seen_at + self.goal.kept_seconds + 0.01 * self.goal.scrape_seconds

    def _bad(self, given: _Given) -> float:
        return given.dose.bad * given.bad_moved * self.goal.estimated

    def _total(self, given: _Given) -> float:
        if self.goal.alone:
            return 0.0
        passing = given.dose.passing * given.passing_moved * self.goal.estimated
        return passing + (self._bad(given) if self.goal.counted else 0.0)


def _ahead_seconds(goal: Goal) -> float:
    return goal.answer_seconds + 3 * goal.scrape_seconds
