"""A service that counts requests, a Prometheus that scrapes it, and an alert test that follows the loop.

Counters and rate() behave as the real ones do: what happens is seen by the next scrape, a series is born with
what it has counted by then, and a rate is stretched to its window as Prometheus stretches it.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from opsconsole.walkthrough.band import Dose, Goal, Reading
from opsconsole.walkthrough.loop import Loop

START = 1_700_000_000.0


@dataclass
class Counter:
    """One series, with the times and values of its samples; it has none before it is born."""

    value: int = 0
    born: bool = True
    times: list[float] = field(default_factory=list)
    values: list[int] = field(default_factory=list)

    def add(self, count: int) -> None:
        self.value += count
        self.born = self.born or count > 0

    def scrape(self, at: float) -> None:
        if self.born:
            self.times.append(at)
            self.values.append(self.value)

    def increase(self, at: float, window_seconds: float) -> float:
        """increase() over the window that ends at `at`; 0 with fewer than two samples."""
        begin, end = bisect_right(self.times, at - window_seconds), bisect_right(self.times, at)
        if end - begin < 2:
            return 0.0
        first_at, last_at, first = self.times[begin], self.times[end - 1], self.values[begin]
        increased, sampled = self.values[end - 1] - first, last_at - first_at
        between = sampled / (end - begin - 1)
        to_start, to_end = first_at - (at - window_seconds), at - last_at
        if to_start >= 1.1 * between:
            to_start = between / 2
        if increased > 0:
            to_start = min(to_start, sampled * first / increased)
        if to_end >= 1.1 * between:
            to_end = between / 2
        return increased * (sampled + to_start + to_end) / sampled


@dataclass(frozen=True)
class Traffic:
    """What happens in the service by itself: how many requests come a second `seconds` after the start, and
    which share of them is bad; each as chance will have it, or evenly."""

    per_second: Callable[[float], float]
    bad_share: Callable[[float], float]
    chance: random.Random | None = None

    @classmethod
    def steady(cls, per_second: float, bad_share: float, chance: random.Random | None = None) -> "Traffic":
        return cls(lambda _: per_second, lambda _: bad_share, chance)

    def counts(self, seconds: float, length: float, carried: list[float]) -> tuple[int, int]:
        """How many bad and how many good ones come in so long a time."""
        share = self.bad_share(seconds)
        expected = self.per_second(seconds) * length
        means = expected * share, expected * (1 - share)
        if self.chance is not None:
            return poisson(self.chance, means[0]), poisson(self.chance, means[1])
        whole = [int(carried[n] + means[n]) for n in (0, 1)]
        for n in (0, 1):
            carried[n] += means[n] - whole[n]
        return whole[0], whole[1]


def poisson(chance: random.Random, mean: float) -> int:
    """A number of independent events of this mean."""
    if mean > 50:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation of the rule has found; `bad` and `total` as Prometheus estimates them."""

    at: float
    bad: float
    total: float

    @property
    def value(self) -> float:
        return self.bad / self.total if self.total else (math.inf if self.bad else math.nan)


@dataclass
class Simulated:
    """`query_seconds` is how long after a scrape its reading is there, `answer_seconds` how long a dose takes
    to be answered, all of which is counted by then; `uneven` makes both anything up to that. Only each
    `looks_each` scrape is looked at, and some may fail. `existing`: the series that the requests move are
    there before the first of them."""

    goal: Goal
    traffic: Traffic
    query_seconds: float
    answer_seconds: float
    existing: bool = True
    moves: bool = True
    uneven: random.Random | None = None
    looks_each: int = 1
    fails: Callable[[], bool] = lambda: False
    evaluations: list[Evaluation] = field(default_factory=list)
    doses: list[tuple[float, Dose]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loop = Loop(self.goal)
        self._good, self._bad = Counter(10**6), Counter(10**6)
        self._own_bad = Counter(10**3 * self.existing, self.existing)
        self._own_passing = Counter(10**3 * self.existing, self.existing)
        self._carried = [0.5, 0.5]
        self._pending: list[tuple[float, Dose]] = []
        self._now = START
        self._scraped_at = 0.0

    def warm_up(self) -> Reading:
        """Let the traffic alone fill the window."""
        for _ in range(2 + math.ceil(self.goal.window_seconds / self.goal.scrape_seconds)):
            self._scrape()
        return self.beside()

    def beside(self) -> Reading:
        """The traffic alone, as it is counted now."""
        at, window = self._now, self.goal.window_seconds
        bad, good = self._bad.increase(at, window), self._good.increase(at, window)
        total = 1.0 if self.goal.alone else good + (bad if self.goal.counted else 0.0)
        return Reading(self._scraped_at, bad / total if total else None, False, bad, total, at)

    def run(self, seconds: float) -> None:
        """Let the loop work for so long; the rule is evaluated twice for each scrape."""
        scrape = self.goal.scrape_seconds
        for number in range(math.ceil(seconds / scrape)):
            self._scrape()
            times = [self._now + 0.3 * scrape, self._now + 0.9 * scrape]
            now = self._now + self._upto(self.query_seconds)
            for at in [t for t in times if t < now]:
                self.evaluations.append(self.evaluation(at))
            self._answer(now)
            looks = number % self.looks_each == 0
            dose = self.loop.next(self.reading(now), now) if looks else Dose(0, 0)
            if dose != (0, 0):
                self.doses.append((now, dose))
                self._pending.append((now + self._upto(self.answer_seconds), dose))
            for at in [t for t in times if t >= now]:
                self.evaluations.append(self.evaluation(at))

    def _upto(self, seconds: float) -> float:
        return seconds if self.uneven is None else seconds * self.uneven.uniform(0.05, 1.0)

    def evaluation(self, at: float) -> Evaluation:
        window, alone = self.goal.window_seconds, self.goal.alone
        bad = self._bad.increase(at, window) + self._own_bad.increase(at, window)
        passing = self._good.increase(at, window) + self._own_passing.increase(at, window)
        return Evaluation(at, bad, 1.0 if alone else passing + (bad if self.goal.counted else 0.0))

    def reading(self, at: float) -> Reading:
        now = self.evaluation(at)
        value = now.value if math.isfinite(now.value) else None
        return Reading(self._scraped_at, value, now.value > self.goal.share, now.bad, now.total, at)

    def _scrape(self) -> None:
        """Let one scrape interval pass, and scrape."""
        length = self.goal.scrape_seconds
        bad, good = self.traffic.counts(self._now - START, length, self._carried)
        self._now += length
        self._answer(self._now)
        self._bad.add(bad)
        self._good.add(good)
        failed = self.fails()
        for counter in () if failed else (self._bad, self._good, self._own_bad, self._own_passing):
            counter.scrape(self._now)
        self._scraped_at = 0.0 if failed else self._now

    def _answer(self, now: float) -> None:
        """Count and answer what is due by now."""
        for at, dose in [each for each in self._pending if each[0] <= now]:
            self._pending.remove((at, dose))
            if self.moves:
                self._own_bad.add(dose.bad)
                self._own_passing.add(dose.passing)
            self.loop.gave(dose, at)
