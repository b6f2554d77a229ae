"""The arithmetic of a band: how many bad requests, and how many passing ones beside them, put a share of the
total over its threshold and keep it below the next alert's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from opsconsole.errors import OpsconsoleError

MOST_PER_SECOND = 200.0
"""No more requests a second than this are asked for, over any longer time."""

LATE = 1.0
"""By how many scrape intervals a decision may come late: looks are taken at any time between two scrapes."""

_LOW_SIGMAS, _HIGH_SIGMAS = 3.0, 2.0
_FULL, _HALF = 1.0, 0.5
_MARGIN_OF_NEED = 0.15
_MOST_PASSING = 5_000
_LEAST = 1e-6


class CannotHold(OpsconsoleError):
    """The value cannot be held within its band, and why."""


@dataclass(frozen=True)
class Reading:
    """The left side of a rule's comparison at one moment, and what it counts.

    `scraped_at` (unix seconds) is the newest scrape that every running instance of the job has had; 0.0 where
    there was none, or the last one failed. `value` is the left side, None where it is absent, NaN or
    infinite; `over` tells whether the comparison holds. `bad` and `total` are how many were counted within
    the window, as Prometheus estimates it: no whole numbers. `evaluated_at` is when all this was so, 0.0
    where that is not known.
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
    """What holding it will take: `first` requests at once, then `per_second`, in all `requests`, of which
    `passing` only go with the others, where arithmetic needs `fewest` if nothing ever varied."""

    first: int
    per_second: float
    requests: int
    fewest: int
    passing: int = 0


class Moment(NamedTuple):
    """What is counted at one moment, before anything more is sent."""

    bad: float
    total: float


class Need:
    """What it takes to hold a goal beside traffic like `bare`, which is not ours and goes on by itself.

    The traffic changes within the `ahead_seconds` that a decision looks ahead: as much as events that are
    independent of each other do, both those that come and those that leave the window. `usual` is how much
    there is on average, where that is known.
    """

    def __init__(self, goal: Goal, bare: Moment, ahead_seconds: float, usual: Moment | None = None) -> None:
        self.goal = goal
        self.bare = bare
        self._much = Moment(*map(max, bare, usual or bare))
        self._changing = 2 * min(ahead_seconds, goal.window_seconds) / goal.window_seconds

    def dose(self, moments: Sequence[Moment]) -> Dose:
        """The fewest requests that keep these moments in the band: all of them, or where that does not go
        without passing ones, the first of them, and the others are left to later decisions.

        Raises CannotHold.
        """
        if self._fewest_bad(moments, 0, _FULL) <= 0 and not self.goal.dilutes:
            return Dose(0, 0)
        for margin in (_FULL, _HALF):
            if (dose := self._without_passing(moments, margin)) is not None:
                return dose
            if self.goal.dilutes:
                diluted = self._least(moments[:1], margin)
                if self._per_second(diluted) <= MOST_PER_SECOND or margin == _HALF:
                    return diluted
        return self.refuse(moments[:1])

    def _without_passing(self, moments: Sequence[Moment], margin: float) -> Dose | None:
        for some in (moments[:n] for n in range(len(moments), 0, -1)):
            bad = max(0.0, self._fewest_bad(some, 0, margin))
            if bad <= self._most_bad(some, 0, margin) and bad < math.inf:
                return Dose(int(bad), 0)
        return None

    def _per_second(self, dose: Dose) -> float:
        return sum(dose) / self.goal.period_seconds

    def below(self, moment: Moment) -> bool:
        """Whether the moment, as it is, is below the ceiling."""
        return self._most_bad([moment], 0, 0.0) >= 0

    def least(self) -> Dose:
        """The arithmetic minimum, if the traffic were perfectly even. Raises CannotHold."""
        return self._least([self.bare], 0.0)

    def steady(self) -> Dose:
        """What holds it for as long as one dose is seen. Raises CannotHold, also for too many a second."""
        dose = self.dose([self.bare])
        per_second = self._per_second(dose)
        if per_second > MOST_PER_SECOND:
            raise CannotHold(
                f"it would need {per_second:.0f} requests a second, more than {MOST_PER_SECOND:.0f}, "
                f"among {self.bare.total:.0f} in {self.goal.window_seconds:g} s"
            )
        return dose

    def _least(self, moments: Sequence[Moment], margin: float) -> Dose:
        for passing in range(_MOST_PASSING if self.goal.dilutes else 1):
            bad = max(0.0, self._fewest_bad(moments, passing, margin))
            if bad <= self._most_bad(moments, passing, margin) and bad < math.inf:
                return Dose(int(bad), passing)
        return self.refuse(moments)

    def _fewest_bad(self, moments: Sequence[Moment], passing: int, margin: float) -> float:
        """Beside traffic that changes, more than arithmetic asks for: what chance may take away, at least a
        part of what we hold it with ourselves."""
        share, bare = self.goal.share, self.bare
        ours = _MARGIN_OF_NEED * (share * bare.total - bare.bad)
        room = max(_LEAST, margin * max(ours, self._room(share, _LOW_SIGMAS)))
        most = max(self._bad_at(moment, passing, share, room) for moment in moments)
        return most if most == math.inf else math.ceil(most)

    def _most_bad(self, moments: Sequence[Moment], passing: int, margin: float) -> float:
        ceiling = self.goal.ceiling
        if ceiling == math.inf:
            return math.inf
        room = max(_LEAST, margin * self._room(ceiling, _HIGH_SIGMAS))
        most = min(self._bad_at(moment, passing, ceiling, -room) for moment in moments)
        return most if most == math.inf else math.floor(most)

    def _bad_at(self, moment: Moment, passing: int, edge: float, room: float) -> float:
        """How many bad ones bring the moment to this share, and `room` beyond it."""
        goal = self.goal
        each = goal.estimated * (1 - edge if goal.counted else 1)
        if each <= 0:
            return math.inf
        return (edge * (moment.total + goal.estimated * passing) + room - moment.bad) / each

    def _room(self, edge: float, sigmas: float) -> float:
        """How many bad ones the traffic may come nearer to this share by itself; half an event more, because
        few of them do not change by fractions."""
        goal, much = self.goal, self._much
        if goal.alone:
            return sigmas * math.sqrt(self._changing * much.bad) + 0.5
        others = max(0.0, much.total - much.bad) if goal.counted else much.total
        own = much.bad * (max(0.0, 1 - edge) if goal.counted else 1) ** 2
        return sigmas * math.sqrt(self._changing * (own + others * edge**2)) + edge / 2

    def refuse(self, moments: Sequence[Moment]) -> NoReturn:
        """Raise CannotHold with the numbers that say why."""
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
