"""The value of an alert's rule over time, against its threshold, as an inline SVG: no scripts, no links."""

import math
from collections.abc import Iterator
from html import escape
from typing import TypeGuard

from opsconsole.model import Hop, Measured
from opsconsole.reports import trace
from opsconsole.runview import ItemView

_WIDTH, _HEIGHT = 600, 160
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 8, 14, 20
_HEADROOM = 1.15


def svg(item: ItemView) -> str:
    """The chart, with the hops pending and firing as marks; empty where there are no two readings."""
    readings = [reading for reading in item.readings if math.isfinite(reading.scraped_at)]
    if len(readings) < 2 or readings[0].scraped_at == readings[-1].scraped_at:
        return ""
    return "\n".join(
        [
            f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(trace.readings(item))}">',
            *_Plot(item, readings).lines(),
            "</svg>",
        ]
    )


class _Plot:
    """The scales of one chart, from the first reading to the last, and from zero to above all it shows."""

    def __init__(self, item: ItemView, readings: list[Measured]) -> None:
        self._item, self._readings = item, readings
        self._begin, self._end = readings[0].scraped_at, readings[-1].scraped_at
        plan = item.plan
        known = {"threshold": plan.threshold, "ceiling": plan.ceiling} if plan else {}
        self._limits = {name: limit for name, limit in known.items() if _drawn(limit)}
        values = (reading.value for reading in readings)
        shown = [0.0, *self._limits.values(), *filter(_drawn, values)]
        self._low, self._high = min(shown), max(shown) * _HEADROOM or 1.0

    def lines(self) -> Iterator[str]:
        for name, limit in self._limits.items():
            y = self._y(limit)
            yield f'<line class="{name}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
            yield f'<text x="{_LEFT}" y="{y - 3:.1f}">{name} {trace.number(limit)}</text>'
        for hop in (Hop.PENDING, Hop.FIRING, Hop.RESOLVED):
            yield from self._mark(hop)
        for points in self._strokes():
            yield f'<polyline points="{points}"/>'
        y = _HEIGHT - 6
        yield f'<text x="{_LEFT}" y="{y}">0 s</text>'
        lasted = trace.after(self._end - self._begin)
        yield f'<text x="{_WIDTH - _RIGHT}" y="{y}" text-anchor="end">{lasted}</text>'

    def _mark(self, hop: Hop) -> Iterator[str]:
        reached = self._item.hops.get(hop)
        if reached and self._begin <= reached.reached_at <= self._end:
            x = self._x(reached.reached_at)
            yield f'<line class="mark" x1="{x}" x2="{x}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
            yield f'<text x="{x}" y="{_TOP - 4}" text-anchor="middle">{hop}</text>'

    def _strokes(self) -> Iterator[str]:
        """The line, broken where there was no value."""
        stroke: list[str] = []
        for reading in self._readings:
            if _drawn(reading.value):
                stroke.append(f"{self._x(reading.scraped_at)},{self._y(reading.value)}")
            elif stroke:
                yield " ".join(stroke)
                stroke = []
        if stroke:
            yield " ".join(stroke)

    def _x(self, at: float) -> float:
        share = (at - self._begin) / (self._end - self._begin)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def _y(self, value: float) -> float:
        share = (value - self._low) / (self._high - self._low)
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)


def _drawn(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)
