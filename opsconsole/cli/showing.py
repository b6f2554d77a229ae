"""Whether panels show data now: a query is asked for the time that its dashboard shows, as Grafana does."""

import asyncio
import math
from collections.abc import Iterable

from opsconsole.clients.panels import span_seconds
from opsconsole.clients.prometheus import Prometheus
from opsconsole.errors import Nonsense, TimedOut
from opsconsole.rehearse.load.filling import DashboardPanel
from opsconsole.rehearse.model import Panel

_AT_ONCE = 4
_POINTS = 300
_SHORTEST_STEP_SECONDS = 15.0


class Showing:
    """Asks a Prometheus for the queries of these panels; `now` is unix seconds by the server's clock."""

    def __init__(self, prometheus: Prometheus, panels: Iterable[Panel], now: float) -> None:
        self._prometheus = prometheus
        self._now = now
        self._spans = _spans_seconds(panels)
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def __call__(self, query: str) -> bool | str:
        """Whether the query has a number now; a text is the error that it gave. Raises Unseen."""
        try:
            async with self._places:
                values = await self._values(query, self._spans.get(query, 0.0))
        except (Nonsense, TimedOut) as error:
            return error.message
        return any(not math.isnan(value) for value in values)

    async def _values(self, query: str, span_seconds: float) -> list[float]:
        if not span_seconds:
            return [sample.value for sample in await self._prometheus.query(query)]
        step_seconds = max(span_seconds / _POINTS, _SHORTEST_STEP_SECONDS)
        found = await self._prometheus.query_range(
            query, start=self._now - span_seconds, end=self._now, step_seconds=step_seconds
        )
        return [value for series in found for _, value in series.points]


def _spans_seconds(panels: Iterable[Panel]) -> dict[str, float]:
    """How long a time each query is shown for; those that ask for one moment are left out."""
    return {
        query: span_seconds(panel.board)
        for panel in panels
        if isinstance(panel, DashboardPanel)
        for query, saved in zip(panel.queries, panel.saved, strict=True)
        if not saved.instant
    }
