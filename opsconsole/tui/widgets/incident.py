"""A chart of an alert's value under the incident that fires it. Loads plotext, when first shown."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from rich.text import Text
from textual.color import Color
from textual_plotext import PlotextPlot

from opsconsole.rehearse.curve import Curve
from opsconsole.reports.trace import lasting, number
from opsconsole.tui.widgets.chart import times_below

LEAST_HEIGHT = 7
"""Rows: one that says what is drawn, four of chart, the alert's state, the times."""

_NOT_CHART = 3
_GAP = 1.6
"""How much further apart than usual two points are where there is no value between them."""

_STATES = {"": ("·", "faint"), "pending": ("░", "warning"), "firing": ("█", "error")}


class IncidentChart(PlotextPlot):
    """A curve, its threshold, and below it when the alert is pending (░), firing (█) and neither (·)."""

    curve: Curve | None = None

    def on_mount(self) -> None:
        self.theme = "clear"
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())

    def show(self, curve: Curve) -> None:
        if curve is not self.curve:
            self.curve = curve
            self.refresh()

    def render(self) -> Text:
        curve, (width, height) = self.curve, self.size
        if curve is None or height < LEAST_HEIGHT or width < 20:
            return Text()
        rows = height - _NOT_CHART
        left = self._figure(curve, rows)
        self.plt.plotsize(width, rows)
        self.plt._set_size(width, rows)  # plotsize alone keeps the size that it had before
        self.plt.theme("clear")
        chart = Text.from_ansi(self.plt.build(), no_wrap=True).split("\n")[:rows]
        below = times_below(_named(curve), 0.0, _end(curve), left, width)
        return Text("\n", no_wrap=True).join(
            [_legend(curve, width), *chart, self._states(curve, left, width), Text(below)]
        )

    def _figure(self, curve: Curve, rows: int) -> int:
        """Draw the curve in so many rows; returns the cells that are left of it."""
        plot, (low, high) = self.plt, _range(curve)
        plot.clear_figure()
        plot.frame(False)
        plot.xticks([])
        plot.xlim(0.0, _end(curve))
        plot.ylim(low, high)
        for stretch in _stretches(curve.points):
            times, values = zip(*stretch, strict=True)
            draw = plot.plot if len(stretch) > 1 else plot.scatter
            draw(times, values, marker="braille", color=self._colour("primary"))
        ticks = {0: (low, number(low)), rows - 1: (high, number(high))} if curve.op else {}
        if curve.threshold is not None:
            plot.hline(curve.threshold, self._colour("warning"))
            row = round((curve.threshold - low) / (high - low) * (rows - 1))
            ticks[row] = curve.threshold, f"{curve.op} {number(curve.threshold)}"
        plot.yticks([at for at, _ in ticks.values()], [name for _, name in ticks.values()])
        return max((len(name) for _, name in ticks.values()), default=0)

    def _states(self, curve: Curve, left: int, width: int) -> Text:
        cells = max(1, width - left)
        line = Text(" " * left)
        for cell in range(cells):
            sign, colour = _STATES[_state(curve, cell / max(1, cells - 1) * _end(curve))]
            line.append(sign, self.app.theme_variables[colour])
        return line

    def _colour(self, name: str) -> tuple[int, int, int]:
        return Color.parse(self.app.theme_variables[name]).rgb


def _legend(curve: Curve, width: int) -> Text:
    if not curve.points:
        return Text(" no value to draw")
    if curve.threshold is None:
        parts = ["whether it has data", "up: it has"]
    else:
        values = [value for _, value in curve.points]
        parts = [f"value {number(min(values))} to {number(max(values))}"]
        parts.append(f"fires {curve.op} {number(curve.threshold)}")
    if curve.pending_at is not None and curve.firing_at is not None and curve.firing_at > curve.pending_at:
        parts[-1] += f" for {lasting(curve.firing_at - curve.pending_at)}"
    parts.append("░ pending █ firing")
    while len(parts) > 1 and len("   ".join(parts)) > width - 2:
        parts.pop()
    return Text.assemble(" ", (parts[0], "bold"), *(f"   {part}" for part in parts[1:]))


def _named(curve: Curve) -> list[tuple[float, str]]:
    """The moments that are named below the chart; the first of them where there is no room for all."""
    moments = (("firing", curve.firing_at), ("resolved", curve.resolved_at), ("pending", curve.pending_at))
    named = [(at, f"{what} {lasting(at)}") for what, at in moments if at is not None]
    return [*named, (0.0, "0"), (_end(curve), lasting(_end(curve)))]


def _state(curve: Curve, at: float) -> str:
    if curve.resolved_at is not None and at >= curve.resolved_at:
        return ""
    if curve.firing_at is not None and at >= curve.firing_at:
        return "firing"
    return "pending" if curve.pending_at is not None and at >= curve.pending_at else ""


def _end(curve: Curve) -> float:
    moments = (curve.pending_at, curve.firing_at, curve.resolved_at)
    return max([1.0, *(at for at, _ in curve.points), *(at for at in moments if at is not None)])


def _range(curve: Curve) -> tuple[float, float]:
    """From the lowest to the highest that is to be seen, nothing among it; whole where it is flat."""
    limits = [] if curve.threshold is None else [curve.threshold]
    values = [0.0, *limits, *(value for _, value in curve.points)]
    low, high = min(values), max(values)
    return (low, high) if high > low else (low, low + 1.0)


def _stretches(points: Sequence[tuple[float, float]]) -> Iterator[list[tuple[float, float]]]:
    """The points, cut where there is no value between them."""
    if not points:
        return
    steps = [later[0] - earlier[0] for earlier, later in pairwise(points)]
    usual = median(steps) if steps else 0.0
    stretch = [points[0]]
    for point, step in zip(points[1:], steps, strict=True):
        if step > _GAP * usual:
            yield stretch
            stretch = []
        stretch.append(point)
    yield stretch
