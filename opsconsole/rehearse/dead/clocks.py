"""When something can hold, and values that depend on the time of day, the weekday or the date alone.

Moments are kept as bits: the minutes of a week from Thursday 00:00 UTC (1970-01-01 was one), and the days of
four years from 1970.
"""

import math
import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import promql_parser as p

WEEK = 7 * 24 * 60
CYCLE = 4 * 365 + 1
ALL_WEEK = (1 << WEEK) - 1
ALL_DAYS = (1 << CYCLE) - 1
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class When:
    """The moments at which something can be there; `parts` are the expressions that restrict them."""

    minutes: int = ALL_WEEK
    days: int = ALL_DAYS
    parts: tuple[p.Expr, ...] = ()

    @property
    def never(self) -> bool:
        return not (self.minutes and self.days)

    @property
    def always(self) -> bool:
        return self.minutes == ALL_WEEK and self.days == ALL_DAYS

    def meet(self, other: "When") -> "When":
        if other is ALWAYS or other == self:
            return self
        if self is ALWAYS:
            return other
        parts = tuple({id(part): part for part in (*self.parts, *other.parts)}.values())
        return When(self.minutes & other.minutes, self.days & other.days, parts)

    def either(self, other: "When") -> "When":
        parts = tuple({id(part): part for part in (*self.parts, *other.parts)}.values())
        return When(self.minutes | other.minutes, self.days | other.days, parts)

    def longest_seconds(self, looked_at_seconds: float = 0.0) -> float:
        """The longest stretch without a gap that is seen when one looks so often; infinite without one."""
        return min(
            _longest(self.minutes, WEEK, 60.0, looked_at_seconds),
            _longest(self.days, CYCLE, 86400.0, looked_at_seconds),
        )

    def most_in(self, window_seconds: float, step_seconds: float) -> int | None:
        """How many of the moments that are whole multiples of a step can lie in a window, its ends included;
        None where that is not reckoned."""
        step, rest = divmod(step_seconds, 60)
        if rest or not step or WEEK % step or window_seconds >= WEEK * 60:
            return None
        held = [self.minutes >> minute & 1 for minute in range(0, WEEK, int(step))]
        width = int(window_seconds // step_seconds) + 1
        round_ = held + held[:width]
        most = now = sum(round_[:width])
        for at in range(width, len(round_)):
            now += round_[at] - round_[at - width]
            most = max(most, now)
        return most


ALWAYS = When()


def _longest(bits: int, size: int, unit: float, looked_at: float) -> float:
    """The longest run of ones in a circle, over zeros that may lie between two looks."""
    circle = 2 * f"{bits:0{size}b}"
    if looked_at > unit:
        circle = re.sub(
            "0+", lambda gap: gap[0].replace("0", "1" if len(gap[0]) * unit < looked_at else "0"), circle
        )
    return unit * max(map(len, circle.split("0"))) if "0" in circle else math.inf


@dataclass(frozen=True, slots=True)
class Clock:
    """Values one after the other, each for `step` minutes, or days with `by_days`, again and again."""

    step: int
    values: tuple[float, ...]
    by_days: bool = False

    def when(self, holds: Callable[[float], bool], part: p.Expr) -> When:
        """The moments at which a condition on the value is true."""
        size = CYCLE if self.by_days else WEEK
        pattern, one = 0, (1 << self.step) - 1
        for place, value in enumerate(self.values):
            if holds(value):
                pattern |= one << (place * self.step)
        period = self.step * len(self.values)
        bits = pattern * (((1 << size) - 1) // ((1 << period) - 1))
        return When(ALL_WEEK, bits, (part,)) if self.by_days else When(bits, ALL_DAYS, (part,))

    def each(self, function: Callable[[float], float]) -> "Clock":
        return Clock(self.step, tuple(map(function, self.values)), self.by_days)

    def with_other(self, other: "Clock", function: Callable[[float, float], float]) -> "Clock | None":
        """Value by value with those of another; None where the two do not go by one calendar."""
        if self.by_days != other.by_days:
            return None
        step = math.gcd(self.step, other.step)
        period = math.lcm(self.step * len(self.values), other.step * len(other.values))
        pairs = zip(self._at(step, period), other._at(step, period), strict=True)
        return Clock(step, tuple(function(one, two) for one, two in pairs), self.by_days)

    def shifted(self, seconds: float) -> "Clock | None":
        """What it will be so many seconds later; None where that is no whole number of its smallest parts."""
        parts, rest = divmod(seconds, 86400 if self.by_days else 60)
        if rest:
            return None
        parts = int(parts)
        step = math.gcd(self.step, parts)
        period = self.step * len(self.values)
        values = self._at(step, period)
        turn = parts // step % len(values)
        return Clock(step, values[turn:] + values[:turn], self.by_days)

    def _at(self, step: int, period: int) -> tuple[float, ...]:
        finer = tuple(value for value in self.values for _ in range(self.step // step))
        return finer * (period // (self.step * len(self.values)))


@lru_cache
def clock(function: str) -> Clock | None:
    """The clock of `hour()`, `minute()`, `day_of_week()`, `month()` and the like; None for one that does not
    repeat itself."""
    match function:
        case "minute":
            return Clock(1, tuple(map(float, range(60))))
        case "hour":
            return Clock(60, tuple(map(float, range(24))))
        case "day_of_week":
            return Clock(_DAY, tuple((4.0 + day) % 7 for day in range(7)))
    if function not in _OF_A_DATE:
        return None
    first = datetime(1970, 1, 1, tzinfo=UTC)
    dates = (first + timedelta(days=day) for day in range(CYCLE))
    return Clock(1, tuple(float(_OF_A_DATE[function](date)) for date in dates), by_days=True)


_OF_A_DATE: dict[str, Callable[[datetime], int]] = {
    "day_of_month": lambda date: date.day,
    "day_of_year": lambda date: date.timetuple().tm_yday,
    "days_in_month": lambda date: monthrange(date.year, date.month)[1],
    "month": lambda date: date.month,
}

CALENDAR = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day_of_week": (0, 6),
    "day_of_month": (1, 31),
    "day_of_year": (1, 366),
    "days_in_month": (28, 31),
    "month": (1, 12),
}
"""The least and the greatest value of each."""
