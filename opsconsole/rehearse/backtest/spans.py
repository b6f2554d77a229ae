"""Stretches of time: joined, cut, laid over each other. Unix seconds."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from opsconsole.rehearse.backtest.model import Span

_MOST_LOOSE = 20_000


class Union:
    """The time that any of the spans covers; they come in any order. What is held is bounded by the number of
    separate stretches of time, not by that of the spans."""

    def __init__(self) -> None:
        self._joined: list[Span] = []
        self._loose: list[Span] = []

    def add(self, first: float, last: float) -> None:
        """One more; nothing where it ends before it begins."""
        if first < last:
            self._loose.append((first, last))
        if len(self._loose) >= _MOST_LOOSE:
            self.joined()

    def joined(self) -> tuple[Span, ...]:
        """All together, apart from each other and in order."""
        if self._loose:
            self._joined, self._loose = list(joined([*self._joined, *self._loose])), []
        return tuple(self._joined)


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time in spans that are apart from each other and in order."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        elif first < last:
            found.append((first, last))
    return tuple(found)


def seconds(spans: Sequence[Span]) -> float:
    """How long they last in all; they are apart from each other."""
    return sum(last - first for first, last in spans)


def cut(spans: Iterable[Span], start: float, end: float) -> tuple[Span, ...]:
    """What lies between two moments."""
    kept = ((max(first, start), min(last, end)) for first, last in spans)
    return tuple(span for span in kept if span[0] < span[1])


def common_seconds(a: Sequence[Span], b: Sequence[Span]) -> float:
    """How long both last at once; each is apart and in order."""
    edges = sorted({edge for span in (*a, *b) for edge in span})
    if not edges:
        return 0.0
    common, i, j = 0.0, 0, 0
    for first, last in pairwise(edges):
        while i < len(a) and a[i][1] <= first:
            i += 1
        while j < len(b) and b[j][1] <= first:
            j += 1
        if i < len(a) and j < len(b) and a[i][0] <= first and b[j][0] <= first:
            common += last - first
    return common
