"""Which values a sample can have: an interval of floats, and whether NaN is among them."""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace

INFINITY = math.inf


@dataclass(frozen=True, slots=True)
class Why:
    """Why a value has a bound: a clause for people, the kind of reason that it makes, what it rests on."""

    text: str
    kind: str = "out-of-range"
    guess: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """All values between two bounds, which belong to it unless they are open; with `nan`, NaN too; with
    `whole`, whole numbers and infinities alone. Without a number between its bounds it holds NaN at most.
    From -0.0 on it holds the negative zero too, from 0.0 on not: what is divided by it is infinite."""

    low: float = -INFINITY
    high: float = INFINITY
    low_open: bool = False
    high_open: bool = False
    low_why: Why | None = None
    high_why: Why | None = None
    nan: bool = True
    whole: bool = False

    @property
    def numberless(self) -> bool:
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    @property
    def empty(self) -> bool:
        return not self.nan and self.numberless

    @property
    def single(self) -> float | None:
        """The one value that there is; None where there may be others."""
        return self.low if self.low == self.high and not self.nan and not self.numberless else None

    @property
    def finite(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)

    def contains(self, other: "Range") -> bool:
        if other.nan and not self.nan:
            return False
        return other.numberless or self.meet(other).same_numbers(other)

    def same_numbers(self, other: "Range") -> bool:
        mine = self.low, self.high, self.low_open, self.high_open
        return mine == (other.low, other.high, other.low_open, other.high_open)

    def meet(self, other: "Range") -> "Range":
        """The values in both."""
        low, high = self, self
        if other.low > self.low or (other.low == self.low and other.low_open and not self.low_open):
            low = other
        if other.high < self.high or (other.high == self.high and other.high_open and not self.high_open):
            high = other
        return Range(
            low.low, high.high, low.low_open, high.high_open, low.low_why, high.high_why,
            nan=self.nan and other.nan, whole=self.whole or other.whole,
        )._settled()  # fmt: skip

    def hull(self, other: "Range") -> "Range":
        """The values in either, and those between them."""
        if self.numberless or other.numberless:
            kept = other if self.numberless else self
            return replace(kept, nan=self.nan or other.nan)
        low, high = self, self
        if other.low < self.low or (other.low == self.low and (self.low_open or _negative_zero(other.low))):
            low = other
        if other.high > self.high or (other.high == self.high and self.high_open):
            high = other
        return Range(
            low.low, high.high, low.low_open, high.high_open, low.low_why, high.high_why,
            nan=self.nan or other.nan, whole=self.whole and other.whole,
        )  # fmt: skip

    def less(self, other: "Range", why: Why) -> "Range":
        """The values in this and not in the other; more than those where they would be no interval."""
        low, low_open, high, high_open = self.low, self.low_open, self.high, self.high_open
        rest, nan = self, self.nan and not other.nan
        if other.numberless:
            return replace(self, nan=nan)
        takes_low = other.low < low or (other.low == low and (low_open or not other.low_open))
        takes_high = other.high > high or (other.high == high and (high_open or not other.high_open))
        if takes_low and takes_high:
            return replace(NOTHING, nan=nan, low_why=why, high_why=why)
        if takes_low and other.high >= low:
            rest = replace(self, low=other.high, low_open=not other.high_open, low_why=why)
        elif takes_high and other.low <= high:
            rest = replace(self, high=other.low, high_open=not other.low_open, high_why=why)
        return replace(rest, nan=nan)._settled()

    def _settled(self) -> "Range":
        """With bounds that are whole numbers where it holds nothing else."""
        if not self.whole or self.numberless:
            return self
        low, high = self.low, self.high
        if math.isfinite(low):
            low = math.floor(low) + 1 if self.low_open else math.ceil(low)
        if math.isfinite(high):
            high = math.ceil(high) - 1 if self.high_open else math.floor(high)
        return replace(
            self, low=float(low), high=float(high),
            low_open=self.low_open and math.isinf(low), high_open=self.high_open and math.isinf(high),
        )  # fmt: skip


def _negative_zero(value: float) -> bool:
    return value == 0 and math.copysign(1.0, value) < 0


ANYTHING = Range()
NOTHING = Range(INFINITY, -INFINITY, nan=False)
NAN = Range(INFINITY, -INFINITY)


def exactly(value: float, why: Why | None = None) -> Range:
    if math.isnan(value):
        return NAN
    return Range(value, value, low_why=why, high_why=why, nan=False, whole=float(value).is_integer())


def between(
    low: float, high: float, text: str = "", *, nan: bool = False, whole: bool = False, guess: str = ""
) -> Range:
    """All values from `low` to `high`, for the reason `text`."""
    why = Why(text, guess=guess) if text else None
    return Range(low, high, low_why=why, high_why=why, nan=nan, whole=whole)


COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}


def possible(op: str, left: Range, right: Range) -> bool:
    """Whether `left op right` can be true."""
    if op == "!=":
        one = left.single
        return one is None or one != right.single
    if left.numberless or right.numberless:
        return False
    if op in ("<", "<="):
        op, left, right = FLIPPED[op], right, left
    if op == ">":
        return left.high > right.low
    if op == ">=":
        return left.high > right.low or (left.high == right.low and not (left.high_open or right.low_open))
    return not left.meet(right).numberless


def certain(op: str, left: Range, right: Range) -> bool:
    """Whether `left op right` is always true."""
    opposite = {">": "<=", "<=": ">", "<": ">=", ">=": "<", "==": "!=", "!=": "=="}[op]
    return (op == "!=" or not (left.nan or right.nan)) and not possible(opposite, left, right)


def refined(op: str, left: Range, right: Range, why: Why) -> Range:
    """What is left of `left` where `left op right` is true."""
    if op == "!=":
        return _without_ends(left, right.single, why)
    allowed = Range(nan=False)
    if op in (">", ">=", "=="):
        lowest = -0.0 if right.low == 0 else right.low
        allowed = replace(allowed, low=lowest, low_open=op == ">" or right.low_open, low_why=why)
    if op in ("<", "<=", "=="):
        allowed = replace(allowed, high=right.high, high_open=op == "<" or right.high_open, high_why=why)
    return left.meet(allowed)


def _without_ends(left: Range, value: float | None, why: Why) -> Range:
    if value is None or left.numberless:
        return left
    if left.low == value:
        left = replace(left, low_open=True, low_why=why)
    if left.high == value:
        left = replace(left, high_open=True, high_why=why)
    return left._settled()


def truth(op: str, left: Range, right: Range, text: str) -> Range:
    """What `left op bool right` gives."""
    if certain(op, left, right):
        return exactly(1.0, Why(f"{text} is always true"))
    if not possible(op, left, right):
        why = bound_why(op, left, right)
        return exactly(0.0, replace(why, text=f"{text} is never true, for {why.text}") if why else None)
    return between(0, 1, "a comparison with `bool` gives 0 or 1", whole=True)


def bound_why(op: str, left: Range, right: Range) -> Why | None:
    """Why `left op right` cannot be true: of the bounds that stand against each other, what is known."""
    if op in ("<", "<="):
        left, right = right, left
    above = left.low > right.high or (left.low == right.high and op in ("==", "!="))
    if op in ("==", "!=") and above:
        left, right = right, left
    found = [why for why in (left.high_why, right.low_why) if why]
    if not found:
        return None
    first = min(found, key=lambda why: why.kind == "out-of-range")
    guesses = dict.fromkeys(why.guess for why in found if why.guess)
    return replace(first, guess="; ".join(guesses))
