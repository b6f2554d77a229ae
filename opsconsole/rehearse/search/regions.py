"""The values that an expression should take: an interval with its holes, and numbers worth trying in it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

_INF = math.inf


@dataclass(frozen=True, slots=True)
class Region:
    """All numbers from `lo` to `hi` but the `holes`; an end that is not `closed` is not among them."""

    lo: float = -_INF
    hi: float = _INF
    lo_closed: bool = False
    hi_closed: bool = False
    holes: frozenset[float] = frozenset()

    @classmethod
    def point(cls, value: float) -> "Region":
        return cls(value, value, True, True)

    @classmethod
    def compared(cls, op: str, value: float) -> "Region":
        """The numbers x for which `x op value` is true. A comparison with NaN is true of none but `!=`."""
        match op:
            case ">":
                return cls(lo=value)
            case ">=":
                return cls(lo=value, lo_closed=True)
            case "<":
                return cls(hi=value)
            case "<=":
                return cls(hi=value, hi_closed=True)
            case "==":
                return cls.point(value)
        return cls(holes=frozenset([value]))

    def __contains__(self, value: float) -> bool:
        if math.isnan(value) or value in self.holes:
            return False
        above = value > self.lo or (value == self.lo and self.lo_closed) or self.lo == -_INF
        below = value < self.hi or (value == self.hi and self.hi_closed) or self.hi == _INF
        return above and below

    def within(self, other: "Region") -> "Region":
        """The numbers of both."""
        lo = max(self.lo, other.lo)
        hi = min(self.hi, other.hi)
        return Region(
            lo,
            hi,
            all(one.lo < lo or one.lo_closed for one in (self, other)),
            all(one.hi > hi or one.hi_closed for one in (self, other)),
            self.holes | other.holes,
        )

    @property
    def empty(self) -> bool:
        if self.lo == self.hi:
            return not (self.lo_closed and self.hi_closed) or self.lo in self.holes
        return self.lo > self.hi

    @property
    def ends(self) -> tuple[float, float]:
        """Where it begins and ends: a calculated value that should be just there may miss it."""
        return self.lo, self.hi

    def scaled(self, factor: float) -> "Region":
        """The region of `factor * x` for x in this one; the factor is not 0."""
        ends = (self.lo * factor, self.lo_closed), (self.hi * factor, self.hi_closed)
        (lo, lo_closed), (hi, hi_closed) = ends if factor > 0 else ends[::-1]
        return Region(lo, hi, lo_closed, hi_closed, frozenset(hole * factor for hole in self.holes))

    def shifted(self, by: float) -> "Region":
        """The region of `x + by`."""
        holes = frozenset(hole + by for hole in self.holes)
        return Region(self.lo + by, self.hi + by, self.lo_closed, self.hi_closed, holes)

    def picks(self, usual: float = 1.0) -> Iterator[float]:
        """Numbers worth trying, those near an end and simple ones first, each once, finite.

        `usual` is what the value is on a day without incident, where nothing is known of it.
        """
        seen = set()
        for value in chain(self._near_the_ends(), self._far(usual)):
            value = rounded if (rounded := tidy(value)) in self else value
            if math.isfinite(value) and value in self and value not in seen:
                seen.add(value)
                yield value

    def _near_the_ends(self) -> Iterator[float]:
        if self.lo_closed:
            yield self.lo
        if self.hi_closed:
            yield self.hi
        if math.isfinite(self.lo) and math.isfinite(self.hi):
            yield from (self.lo + part * (self.hi - self.lo) for part in (0.5, 0.1, 0.9))
        elif math.isfinite(self.lo):
            yield from _beyond(self.lo, 1.0)
        elif math.isfinite(self.hi):
            yield from (-value for value in _beyond(-self.hi, -1.0))

    def _far(self, usual: float) -> Iterator[float]:
        yield from (usual, 1.0, 0.0, 2.0, 0.5, 100.0, -1.0)
        for hole in self.holes:
            yield from (hole + 1, hole - 1)
        for end in (self.lo, self.hi):
            if math.isfinite(end):
                yield from (end + 1, end - 1, end * 10, end / 10, end + 1000, end - 1000, -end)
        yield from (1e6, 1e9, 1e12, -1e9)


def _beyond(end: float, sign: float) -> Iterator[float]:
    """Numbers above `end`, the next round ones first; `sign` -1 where they are shown negated, so that what is
    below a positive threshold stays positive where it can."""
    if end == 0:
        yield from (1.0, 0.1, 100.0)
        return
    if sign > 0 and end == int(end) and 1 <= end < 20:
        yield end + 1
    yield _rounded_up(end + 0.08 * abs(end))
    if sign < 0 < -end:
        yield end / 2
        yield 0.0
    yield end + max(1.0, abs(end) * 0.5)
    yield end + 2 * abs(end)
    yield end + 10 * abs(end)


def _rounded_up(value: float) -> float:
    """The next number of two significant digits."""
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return math.ceil(value / step - 1e-9) * step


def tidy(value: float) -> float:
    """The number without the dust of binary fractions."""
    return float(f"{value:.12g}")
