"""A stretch of time as a bar of characters, told apart by their shape alone."""

import time
from bisect import bisect_left
from collections.abc import Sequence

from opsconsole.rehearse.backtest import Span
from opsconsole.reports.trace import lasting

BLOCKS = "·▂▅█"
ASCII = ".-=#"
DOWN = "x"
"""For a time in which the server was not running."""


class Bar:
    """Bars of `columns` characters for the time from `start` to `end`, unix seconds."""

    def __init__(
        self, start: float, end: float, columns: int, outages: Sequence[Span] = (), *, ascii: bool = False
    ) -> None:
        self._start, self._end, self._columns = start, end, columns
        self._signs = ASCII if ascii else BLOCKS
        self._width_seconds = max(end - start, 1e-3) / columns
        self._down = [share > 0.5 for share in self._shares(outages)]

    def drawn(self, spans: Sequence[Span]) -> str:
        """One bar; the spans are apart from each other and in order. Whatever fired, however short, shows."""
        return "".join(
            DOWN if down and not share else self._sign(share)
            for share, down in zip(self._shares(spans), self._down, strict=True)
        )

    def dates(self) -> str:
        """The days at which the bar begins and ends, and where there is room those between, each above its
        first character; hours for less than two days."""
        form = "%m-%d" if self._end - self._start >= 2 * 86_400 else "%H:%M"
        text = [" "] * self._columns
        every = max(12, self._columns // 6)
        for column in range(0, self._columns - 5, every):
            label = time.strftime(form, time.localtime(self._start + column * self._width_seconds))
            text[column : column + len(label)] = label
        return "".join(text).rstrip()

    def legend(self) -> str:
        """What the characters mean."""
        none, little, much, whole = tuple(self._signs)
        down = f"  {DOWN} the server was not running" if any(self._down) else ""
        return (
            f"a character is {lasting(self._width_seconds)}: {none} quiet  {little} fired for less than a "
            f"third of it  {much} less than two thirds  {whole} more{down}"
        )

    def _sign(self, share: float) -> str:
        none, little, much, whole = tuple(self._signs)
        if share <= 0:
            return none
        return little if share < 1 / 3 else much if share < 2 / 3 else whole

    def _shares(self, spans: Sequence[Span]) -> list[float]:
        """How much of each character's time the spans cover, 0 to 1."""
        ends = [last for _, last in spans]
        shares = []
        for column in range(self._columns):
            first = self._start + column * self._width_seconds
            last = first + self._width_seconds
            covered, at = 0.0, bisect_left(ends, first)
            while at < len(spans) and spans[at][0] < last:
                covered += max(0.0, min(last, spans[at][1]) - max(first, spans[at][0]))
                at += 1
            shares.append(min(1.0, covered / self._width_seconds))
        return shares
