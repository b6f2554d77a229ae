"""The series that a Prometheus holds of certain metrics, asked for in portions."""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from opsconsole.rehearse.load.series import Gathered

if TYPE_CHECKING:
    from opsconsole.clients.prometheus import Prometheus

LOOK_BACK_SECONDS = 15 * 86_400.0
_PORTION_CHARACTERS = 1_500
_PORTION_SERIES = 20_000
_VERY_MANY = 20_000
_RECENT_SECONDS = 3600.0
_STEP_SECONDS = 300.0
_AT_ONCE = 2
_BUSY_SECONDS = 1.0
_PLAIN = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")

_T = TypeVar("_T")


class History:
    """The last fifteen days of a Prometheus, by its own clock, from when they are first asked for. `present`
    are the metrics asked for that have series now."""

    def __init__(self, prometheus: "Prometheus") -> None:
        self.present: set[str] = set()
        self._prometheus = prometheus
        self._now = 0.0
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def gather(self, names: Iterable[str], gathered: Gathered) -> None:
        """Add the series of these metrics. Of one that has very many now, those of the last hour, and the
        labels of the others. Raises Unseen."""
        names = sorted(names)
        counts, _ = await asyncio.gather(self._counts(names), self._ask_the_time())
        self.present.update(counts)
        few = [name for name in names if counts.get(name, 0) <= _VERY_MANY]
        await asyncio.gather(
            *(self._series(portion, gathered) for portion in _portions(few, counts)),
            *(self._very_many(name, gathered) for name in set(names) - set(few)),
        )

    async def last_seen(self, intervals: Mapping[str, float | None]) -> dict[str, float]:
        """When metrics that are not present had their last sample, to within five minutes, in unix seconds.

        `intervals` are how often, in seconds, each is scraped, None where it is by nobody. One that was there
        in the last two scrapes is present after all, and left out: a scrape may fail.
        """
        if not intervals:
            return {}
        await self._ask_the_time()
        windows: dict[float, list[str]] = {}
        for name, interval in sorted(intervals.items()):
            if interval:
                windows.setdefault(2 * interval + _BUSY_SECONDS, []).append(name)
        for window, names in windows.items():
            self.present.update(await self._counts(names, f"[{round(1000 * window)}ms]"))
        found = dict.fromkeys(sorted(intervals.keys() - self.present), self._begin)
        for portion in _portions(list(found), {}):
            seen = await self._one(
                self._prometheus.query_range(
                    f"group by (__name__) (last_over_time({_any_of(portion)}[{_STEP_SECONDS:.0f}s]))",
                    start=self._begin,
                    end=self._now,
                    step_seconds=_STEP_SECONDS,
                )
            )
            found.update({one.labels["__name__"]: one.points[-1][0] for one in seen if one.points})
        return found

    async def names(self) -> list[str]:
        """All metrics that have series."""
        await self._ask_the_time()
        return await self._prometheus.metric_names(start=self._begin, end=self._now)

    @property
    def _begin(self) -> float:
        return self._now - LOOK_BACK_SECONDS

    async def _ask_the_time(self) -> None:
        if not self._now:
            self._now = time.time() + await self._prometheus.clock_offset_seconds()

    async def _counts(self, names: list[str], window: str = "") -> Mapping[str, int]:
        """How many series each of the metrics has now, or had in a window; those without are not there."""
        counts: dict[str, int] = {}
        for portion in _portions(names, {}):
            some = f"last_over_time({_any_of(portion)}{window})" if window else _any_of(portion)
            for sample in await self._one(self._prometheus.query(f"count by (__name__) ({some})")):
                counts[sample.labels["__name__"]] = int(sample.value)
        return counts

    async def _series(self, names: list[str], gathered: Gathered, begin: float | None = None) -> None:
        asked = self._prometheus.series(*map(_selector, names), start=begin or self._begin, end=self._now)
        for labels in sorted(await self._one(asked), key=lambda one: sorted(one.items())):
            gathered.add(labels["__name__"], {name: labels[name] for name in labels if name != "__name__"})

    async def _very_many(self, name: str, gathered: Gathered) -> None:
        await self._series([name], gathered, self._now - _RECENT_SECONDS)
        span = {"start": self._begin, "end": self._now}
        possible = await self._one(self._prometheus.label_names(_selector(name), **span))
        lacking = []
        for label in sorted(gathered.always(name)):
            if await self._one(self._prometheus.series(_selector(name, f'{label}=""'), **span)):
                lacking.append(label)
        gathered.correct(name, set(possible) - {"__name__"}, lacking)

    async def _one(self, asked: Awaitable[_T]) -> _T:
        async with self._places:
            return await asked


def _portions(names: list[str], counts: Mapping[str, int]) -> Iterator[list[str]]:
    """The names in portions that fit into one URL, and whose series fit into one answer."""
    portion: list[str] = []
    characters = series = 0
    for name in names:
        characters += len(_selector(name)) + len("&match[]=")
        series += counts.get(name, 0)
        if portion and (characters > _PORTION_CHARACTERS or series > _PORTION_SERIES):
            yield portion
            portion, characters, series = [], len(name), counts.get(name, 0)
        portion.append(name)
    if portion:
        yield portion


def _selector(name: str, *matchers: str) -> str:
    if _PLAIN.fullmatch(name):
        return f"{name}{{{','.join(matchers)}}}" if matchers else name
    return f"{{{','.join([f'__name__={_quoted(name)}', *matchers])}}}"


def _any_of(names: list[str]) -> str:
    return f"{{__name__=~{_quoted('|'.join(map(re.escape, names)))}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
