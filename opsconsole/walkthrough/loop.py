"""The closed loop: how many requests to send now so that an alert's value stays just over its threshold.

Pure: readings and times go in, doses come out; all times are unix seconds of one clock. What a request does
to a counter is seen by the next scrape, and stays in a rate's window until the scrape before that leaves it:
for the window less one scrape interval. The loop knows when it gave what, and replaces what leaves next.
"""

import math
from itertools import pairwise

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
from opsconsole.walkthrough.ledger import Ledger

__all__ = ["CannotHold", "Dose", "Forecast", "Goal", "Loop", "Reading", "forecast"]

NONE = Dose(0, 0)
_LOOKS = 5


def forecast(goal: Goal, reading: Reading, hold_seconds: float) -> Forecast:
    """What holding the goal for so long will take, beside the traffic of this reading. Raises CannotHold."""
    ahead_seconds = goal.answer_seconds + 3 * goal.scrape_seconds
    need = Need(goal, Moment(reading.bad, 1.0 if goal.alone else reading.total), ahead_seconds)
    dose, least = need.steady(), need.least()
    per_second = sum(dose) / goal.period_seconds
    after_first = max(0.0, hold_seconds - goal.period_seconds)
    fewest = sum(least) * max(1, math.ceil(hold_seconds / goal.kept_seconds))
    requests = max(fewest, sum(dose) + math.ceil(per_second * after_first))
    return Forecast(
        first=sum(dose),
        per_second=per_second,
        requests=requests,
        fewest=fewest,
        passing=math.ceil(requests * dose.passing / max(1, sum(dose))),
    )


class Loop:
    """The controller of one alert's fault; `sent` and `passing` count the requests asked for so far."""

    def __init__(self, goal: Goal) -> None:
        self.goal = goal
        self.sent = 0
        self.passing = 0
        self._ledger = Ledger(goal)
        self._above_since = math.inf  # no moment was seen yet
        self._looks: list[float] = []

    def next(self, reading: Reading, now: float) -> Dose:
        """The requests to send now; none of either is a common answer.

        Raises CannotHold where the value cannot be held in its band, or the metric does not move.
        """
        if reading.scraped_at <= 0:
            return NONE
        self._looks = [*self._looks[-_LOOKS:], now]
        bare = self._ledger.see(reading, now)
        scrapes = self._scrapes(reading, now + self._ledger.latency_seconds(now))
        ahead_seconds = scrapes[-1] + self.goal.scrape_seconds - reading.scraped_at
        need = Need(self.goal, bare, ahead_seconds, self._ledger.usual)
        moments = [self._ledger.moment(bare, reading, at) for at in scrapes]
        dose = need.dose(moments)
        self._bear(need, moments[0], now)
        if dose != NONE:
            need.steady()
            dose = self._first_part(dose)
        return self._give(dose, now) if dose != NONE else NONE

    def gave(self, dose: Dose, at: float) -> None:
        """This dose was answered at `at`; scrapes before that may not have it."""
        if not self._ledger.answered(dose, at):
            self._give(dose, at)
            self._ledger.answered(dose, at)

    def _give(self, dose: Dose, now: float) -> Dose:
        self._ledger.issue(dose, now)
        self.sent += dose.bad
        self.passing += dose.passing
        return dose

    def _bear(self, need: Need, moment: Moment, now: float) -> None:
        """Where nothing can be done against a value that has reached the ceiling, it is borne for half a
        window: traffic that changes may take it there, and back."""
        if self.goal.dilutes or need.below(moment):
            self._above_since = now
        elif now - self._above_since > self.goal.window_seconds / 2:
            need.refuse([moment])

    def _first_part(self, dose: Dose) -> Dose:
        """As much as may be sent at once; passing ones alone, until they were seen to count."""
        most = int(MOST_PER_SECOND * max(1.0, self.goal.scrape_seconds))
        passing = min(dose.passing, most)
        if (passing and not self._ledger.passing_proven) or self._ledger.passing_on_trial:
            return Dose(0, passing)
        return Dose(min(dose.bad, most - passing), passing)

    def _scrapes(self, reading: Reading, start: float) -> list[float]:
        """The scrapes that a dose sent now will be the last to act on: from the first that has it, until the
        one that has what is sent after the next look, which may come as late as any of late."""
        interval = self.goal.scrape_seconds
        late_seconds = max((b - a for a, b in pairwise(self._looks)), default=0.0)
        first = self._ledger.scrape(reading, start)
        after = self._ledger.scrape(reading, start + max((1 + LATE) * interval, late_seconds))
        return [first + n * interval for n in range(max(1, round((after - first) / interval)))]
