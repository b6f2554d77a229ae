"""One query over a long time, asked in stretches that the server can bear, in the order of time.

A server refuses what is too much for it (`--query.max-samples`, `--query.timeout`), and we read no answer
that is too large: then a shorter stretch is asked. Each answer is made compact at once, so what is held in
memory is bounded whatever the number of series.
"""

from array import array
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from opsconsole.clients.http import TooLarge
from opsconsole.clients.prometheus import Prometheus, QueryError
from opsconsole.errors import TimedOut

MOST_TICKS = 11_000
"""Points of one series in one query_range; Prometheus refuses more."""

_FEWEST_TICKS = 8
_WANTED_POINTS = 400_000  # of all series in one answer, about 10 MB
_MOST_FAILURES = 60


@dataclass(frozen=True, slots=True)
class Points:
    """The points of one series: unix milliseconds, oldest first, and their values."""

    labels: Mapping[str, str]
    ticks: "array[int]"
    values: "array[float]"


@dataclass(frozen=True, slots=True)
class Stretch:
    """What came for the moments `ticks`, unix milliseconds. `failed`: the server's own words where it cannot
    evaluate the query at these moments and can at others; then there are no points."""

    ticks: range
    series: tuple[Points, ...] = ()
    failed: str = ""


async def stretches(prometheus: Prometheus, promql: str, ticks: range) -> AsyncIterator[Stretch]:
    """The query at each of `ticks`, stretch by stretch.

    Raises QueryError where the server cannot evaluate it at all, TimedOut or TooLarge where even a few
    moments are too much, else as `Prometheus.query_range`.
    """
    size, most, at, failures = MOST_TICKS, MOST_TICKS, 0, 0
    while at < len(ticks):
        part = ticks[at : at + size]
        try:
            came = await _ask(prometheus, promql, part)
        except (TimedOut, TooLarge, QueryError) as error:
            failures += 1
            too_much = _too_much(error)
            if failures > _MOST_FAILURES or not (too_much or error.message.startswith("execution")):
                raise
            if len(part) > _FEWEST_TICKS:
                size = max(_FEWEST_TICKS, len(part) // 2)
                most = size if too_much else most
                continue
            if too_much:
                raise
            came = Stretch(part, failed=error.message)
        yield came
        at += len(part)
        points = sum(len(one.ticks) for one in came.series)
        size = max(_FEWEST_TICKS, min(most, 2 * size, len(part) * _WANTED_POINTS // max(1, points)))


async def _ask(prometheus: Prometheus, promql: str, ticks: range) -> Stretch:
    seconds = {"start": ticks[0] / 1000, "end": ticks[-1] / 1000, "step_seconds": ticks.step / 1000}
    series = []
    for one in await prometheus.query_stretch(promql, **seconds):
        moments = array("q", (round(1000 * at) for at, _ in one.points))
        series.append(Points(one.labels, moments, array("d", (value for _, value in one.points))))
    return Stretch(ticks, tuple(series))


def _too_much(error: TimedOut | TooLarge | QueryError) -> bool:
    return not isinstance(error, QueryError) or "too many samples" in error.message
