"""What an expression can give, as far as it is proven."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import promql_parser as p

from opsconsole.promql import Matcher
from opsconsole.rehearse.dead.clocks import ALL_WEEK, ALWAYS, Clock, When
from opsconsole.rehearse.dead.labels import NO_LABELS, Labels
from opsconsole.rehearse.dead.ranges import ANYTHING, Range

Key = Hashable
"""What two expressions share that have the same value for the same labels; see `shapes`."""

Facts = Mapping[Key, Range]
_MOST_VECTORS = 10


@dataclass(frozen=True, slots=True)
class Death:
    """Why a part of an expression has no data. `node` is the part to blame, in the tree that is judged."""

    kind: str
    summary: str
    node: p.Expr
    correction: str = ""
    guess: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of a number: its range, its course by the calendar where it goes by nothing else, and
    `since_now`, the range of what it differs from the time of the evaluation."""

    range: Range = ANYTHING
    clock: Clock | None = None
    since_now: Range | None = None


@dataclass(frozen=True, slots=True)
class Buckets:
    """The buckets of a classic histogram: their finite bounds, None where they are not known; `infinite`:
    there may be one up to +Inf. `guess` is what the bounds rest on, `by_name` that it is one at all."""

    metric: str
    bounds: frozenset[float] | None
    infinite: bool = True
    guess: str = ""
    by_name: str = ""


@dataclass(frozen=True, slots=True)
class Vector:
    """What is known of every series that a vector can have.

    `key` stands for the expression that gives its values; `facts` hold what is known of the values that this
    and other expressions have for the same labels at the same moment. `buckets` are set where all come from
    the buckets of a classic histogram. `floats`: none is a native histogram.
    """

    labels: Labels = field(default_factory=Labels)
    value: Value = Value()
    when: When = ALWAYS
    key: Key | None = None
    facts: Facts = field(default_factory=dict)
    buckets: Buckets | None = None
    floats: bool = False

    def valued(self, value: Value) -> "Vector":
        """The same series with a closer idea of their values."""
        facts = {**self.facts, self.key: value.range} if self.key is not None else self.facts
        return replace(self, value=value, facts=facts)

    def known(self, facts: Facts) -> "Vector":
        """The same series where these facts, which hold those that were known, are known of them."""
        value = self.value
        if self.key is not None and self.key in facts:
            value = replace(value, range=facts[self.key])
        return replace(self, value=value, facts=facts)

    def hull(self, other: "Vector") -> "Vector":
        """What is known of the series of both."""
        both = self.buckets and other.buckets
        return Vector(
            self.labels.hull(other.labels),
            Value(self.value.range.hull(other.value.range)),
            self.when.either(other.when),
            buckets=_united(self.buckets, other.buckets) if both else None,
            floats=self.floats and other.floats,
        )


def _united(one: Buckets | None, other: Buckets | None) -> Buckets | None:
    if one is None or other is None or one == other:
        return one or other
    known = one.bounds is not None and other.bounds is not None
    bounds = (one.bounds or frozenset()) | (other.bounds or frozenset()) if known else None
    return Buckets(
        one.metric,
        bounds,
        one.infinite or other.infinite,
        one.guess or other.guess,
        one.by_name or other.by_name,
    )


@dataclass(frozen=True, slots=True)
class Cover:
    """The series of an expression that a vector has for certain: all whose values are in the range and whose
    labels pass the matchers."""

    key: Key
    range: Range
    matchers: frozenset[Matcher] = frozenset()


@dataclass(frozen=True, slots=True)
class Result:
    """An instant vector: its series are of one of the vectors. Without vectors it has none, for the reasons
    given. `sure`: the minutes of the week at which a series without labels is there for certain."""

    vectors: tuple[Vector, ...] = ()
    deaths: tuple[Death, ...] = ()
    sure: int = 0
    covers: tuple[Cover, ...] = ()

    @property
    def dead(self) -> bool:
        return not self.vectors

    def each(self, change: Callable[[Vector], Vector | Death]) -> "Result":
        """The same with each vector changed, or dead. What is there for certain is no longer known."""
        return gathered(map(change, self.vectors), self.deaths)

    @property
    def one(self) -> Vector:
        """What is known of the series of all vectors, of which there is one at least."""
        joined = self.vectors[0]
        for vector in self.vectors[1:]:
            joined = joined.hull(vector)
        return joined


def gathered(found: Iterable[Vector | Death], deaths: Iterable[Death] = ()) -> Result:
    """The result of what has come of each vector, or of each pair of them."""
    vectors: list[Vector] = []
    dead: dict[tuple[str, str], Death] = {}
    for one in found:
        if isinstance(one, Vector):
            vectors.append(one)
        else:
            dead.setdefault((one.kind, one.summary), one)
    if not vectors:
        return Result(deaths=(*dead.values(), *deaths))
    result = Result(tuple(vectors))
    return result if len(vectors) <= _MOST_VECTORS else Result((result.one,))


@dataclass(frozen=True, slots=True)
class Number:
    """A scalar. `deaths`: why it is always NaN, where it is for want of series."""

    value: Value
    deaths: tuple[Death, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A range vector: what its series are, its length, and the time between two samples, which is 0 where it
    is not known; `spacing_guess` is what that rests on."""

    result: Result
    seconds: float
    spacing_seconds: float = 0.0
    spacing_guess: str = ""
    subquery: bool = False

    @property
    def most_samples(self) -> int | None:
        """How many samples of a series lie in it at most, in the versions whose ranges hold both ends."""
        if self.spacing_seconds <= 0:
            return None
        milliseconds = round(self.seconds * 1000), round(self.spacing_seconds * 1000)
        return milliseconds[0] // milliseconds[1] + 1


Term = Result | Number | Window | str
"""What a part of an expression can be; a str is a string."""

CERTAIN = Result((Vector(NO_LABELS, floats=True),), sure=ALL_WEEK)
UNKNOWN = Result((Vector(),))
