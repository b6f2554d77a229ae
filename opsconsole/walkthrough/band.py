"""The arithmetic of a band: how many bad requests, and how many passing ones beside them, put a share of the
total over its threshold and keep it below the next alert's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from opsconsole.errors import OpsconsoleError

MOST_PER_SECOND = 200.0
"""No more requests a second than this are asked for, over any longer time."""

LATE = 0.25
"""By which share of a scrape interval a decision may come late."""

_LOW_SIGMAS, _HIGH_SIGMAS = 3.0, 2.0
_MARGINS = (1.0, 0.5)
_MOST_PASSING = 5_000
_LEAST = 1e-6


class CannotHold(OpsconsoleError):
    """The value cannot be held within its band, and why."""


@dataclass(frozen=True)
class Reading:
    """The left side of a rule's comparison at one moment, and what it counts.

    `scraped_at` (unix seconds) is the newest scrape that every running instance of the job has had; 0.0 where
    there was none. `value` is the left side, None where it is absent, NaN or infinite; `over` tells whether
    the comparison holds. `bad` and `total` are how many were counted within the window, as Prometheus
    estimates it: no whole numbers. `evaluated_at` is when all this was so, 0.0 where that is not known.
    """

    scraped_at: float
    value: float | None
    over: bool
    bad: float = 0.0
    total: float = 0.0
    evaluated_at: float = 0.0


class Dose(NamedTuple):
    """So many requests that bring the cause about, and so many that only go with them."""

    bad: int
    passing: int


@dataclass(frozen=True)
class Goal:
    """What is to be held: `share` < bad / total < `ceiling` (infinite where nothing limits it), counted over
    `window_seconds`.

    `counted`: a bad request is part of the total itself; `dilutes`: passing ones may be sent; `alone`: a
    count alone is compared, and the total is one. `scrape_seconds` is the scrape interval, `answer_seconds`
    how long it takes until a request's effect is counted.
    """

    share: float
    ceiling: float
    window_seconds: float
    counted: bool
    dilutes: bool
    scrape_seconds: float
    answer_seconds: float = 0.0
    alone: bool = False

    def __post_init__(self) -> None:
        if self.kept_seconds < 0.99 * self.scrape_seconds:
            raise CannotHold(
                f"a window of {self.window_seconds:g} s holds no two scrapes {self.scrape_seconds:g} s apart"
            )

    @property
    def kept_seconds(self) -> float:
        """For how long a rate sees what one scrape found."""
        return self.window_seconds - self.scrape_seconds

    @property
    def estimated(self) -> float:
        """What one request adds to the estimated count: a rate is stretched to its whole window."""
        return self.window_seconds / self.kept_seconds

    @property
    def period_seconds(self) -> float:
        """After how long a dose is replaced."""
        return max(self.scrape_seconds, self.kept_seconds - (1 + LATE) * self.scrape_seconds)


@dataclass(frozen=True)
class Forecast:
    """What holding it will take: `first` requests at once, then `per_second`, in all `requests`, where
    arithmetic needs `fewest` if nothing ever varied."""

    first: int
    per_second: float
    requests: int
    fewest: int


class Moment(NamedTuple):
    """What is counted at one moment, before anything more is sent."""

    bad: float
    total: float


class Need:
    """What it takes to hold a goal beside traffic like `bare`, which is not ours and goes on by itself.

    The traffic changes within the `ahead_seconds` that a decision looks ahead: as much as events that are
    independent of each other do, both those that come and those that leave the window.
    """

    def __init__(self, goal: Goal, bare: Moment, ahead_seconds: float) -> None:
        self.goal = goal
        self.bare = bare
        self._changing = 2 * min(ahead_seconds, goal.window_seconds) / goal.window_seconds

    def dose(self, moments: Sequence[Moment]) -> Dose:
        """The fewest requests that keep all these moments in the band. Raises CannotHold."""
        if self._fewest_bad(moments, 0, 1.0) <= 0:
            inside = self._most_bad(moments, 0, 0.0) >= 0
            return Dose(0, 0) if inside or not self.goal.dilutes else Dose(0, self._diluted(moments).passing)
        for margin in _MARGINS:
            if (bad := self._fewest_bad(moments, 0, margin)) <= self._most_bad(moments, 0, margin):
                return Dose(int(bad), 0) if bad < math.inf else self._refuse(moments)
        return self._diluted(moments) if self.goal.dilutes else self._refuse(moments)

    def least(self) -> Dose:
        """The arithmetic minimum, if the traffic were perfectly even. Raises CannotHold."""
        return self._least([self.bare], 0.0)

    def steady(self) -> Dose:
        """What holds it for as long as one dose is seen. Raises CannotHold, also for too many a second."""
        dose = self.dose([self.bare])
        per_second = sum(dose) / self.goal.period_seconds
        if per_second > MOST_PER_SECOND:
            raise CannotHold(
                f"it would need {per_second:.0f} requests a second, more than {MOST_PER_SECOND:.0f}, "
                f"among {self.bare.total:.0f} in {self.goal.window_seconds:g} s"
            )
        return dose

    def _diluted(self, moments: Sequence[Moment]) -> Dose:
        return self._least(moments, _MARGINS[0])

    def _least(self, moments: Sequence[Moment], margin: float) -> Dose:
        for passing in range(_MOST_PASSING if self.goal.dilutes else 1):
            bad = max(0.0, self._fewest_bad(moments, passing, margin))
            if bad <= self._most_bad(moments, passing, margin) and bad < math.inf:
                return Dose(int(bad), passing)
        return self._refuse(moments)

    def _fewest_bad(self, moments: Sequence[Moment], passing: int, margin: float) -> float:
        room = max(_LEAST, margin * _LOW_SIGMAS * self._changes(self.goal.share))
        return max(
            math.ceil(at) if (at := self._bad_at(m, passing, self.goal.share, room)) < math.inf else at
            for m in moments
        )

    def _most_bad(self, moments: Sequence[Moment], passing: int, margin: float) -> float:
        ceiling = self.goal.ceiling
        if ceiling == math.inf:
            return math.inf
        room = max(_LEAST, margin * _HIGH_SIGMAS * self._changes(ceiling))
        return min(
            math.floor(at) if (at := self._bad_at(m, passing, ceiling, -room)) < math.inf else at
            for m in moments
        )

    def _bad_at(self, moment: Moment, passing: int, edge: float, room: float) -> float:
        """How many bad ones bring the moment to this share, and `room` beyond it."""
        goal = self.goal
        each = goal.estimated * (1 - edge if goal.counted else 1)
        if each <= 0:
            return math.inf
        return (edge * (moment.total + goal.estimated * passing) + room - moment.bad) / each

    def _changes(self, edge: float) -> float:
        """The standard deviation, in bad ones, of the traffic's distance from this share."""
        goal, bare = self.goal, self.bare
        if goal.alone:
            return math.sqrt(self._changing * bare.bad)
        others = max(0.0, bare.total - bare.bad) if goal.counted else bare.total
        own = bare.bad * (max(0.0, 1 - edge) if goal.counted else 1) ** 2
        return math.sqrt(self._changing * (own + others * edge**2))

    def _refuse(self, moments: Sequence[Moment]) -> Dose:
        goal = self.goal
        bad = max(0.0, self._fewest_bad(moments, 0, 0.0))
        if bad == math.inf:
            raise CannotHold(
                f"a share of {goal.share:.0%} of which bad ones are a part themselves cannot be exceeded"
            )
        tight = min(moments, key=lambda moment: self._bad_at(moment, 0, goal.ceiling, 0.0))
        counted = tight.bad + bad * goal.estimated
        total = tight.total + (bad * goal.estimated if goal.counted else 0.0)
        share = f"{counted / total:.0%}" if total else "beyond any share"
        no_passing = "" if goal.dilutes else ", and no passing ones can be sent"
        if bad > self._most_bad(moments, 0, 0.0):
            raise CannotHold(
                f"{counted:.0f} bad among {total:.0f} is {share}, not below the {goal.ceiling:.0%} of the "
                f"next alert{no_passing}"
            )
        raise CannotHold(
            f"between {goal.share:.0%} and the {goal.ceiling:.0%} of the next alert, of {total:.0f} in "
            f"{goal.window_seconds:g} s, there is no room for how this traffic changes by itself{no_passing}"
        )
