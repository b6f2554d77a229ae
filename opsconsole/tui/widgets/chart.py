"""A chart of a rule's value over time, against its threshold. Loads plotext: only when it is first shown."""

from itertools import groupby
from math import isfinite
from time import monotonic

from rich.text import Text
from textual.color import Color
from textual_plotext import PlotextPlot

from opsconsole.model import AlertPlan, Hop
from opsconsole.reports.trace import lasting, number
from opsconsole.runview import ItemView
from opsconsole.tui.widgets.hops import since_cause

LEAST_HEIGHT = 6
"""Rows: one that says what is drawn, four of chart, one of times."""

_LANDMARKS = (Hop.CAUSE, Hop.FIRING, Hop.PENDING, Hop.STOPPED, Hop.RESOLVED, Hop.DELIVERED)
"""Hops that are named below the chart; the first of them where there is no room for all."""

_POINTS_A_CELL = 2
_REST_SECONDS = 0.2


class Chart(PlotextPlot):
    """The readings of one alert under test, its threshold and ceiling, and the window of its `for`."""

    _drawn: object = None
    _item: ItemView | None = None
    _until: float | None = None
    _rested: float = 0.0

    def on_mount(self) -> None:
        self.theme = "clear"
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())

    def show(self, item: ItemView, *, until: float | None) -> None:
        """Draw the item's readings up to `until` (unix seconds; None: to the last thing known, for nothing
        goes on any more). Draws again only where there is something new to see, and not too often: a drill
        works in the same loop."""
        seen = (len(item.readings), tuple(item.hops), until)
        resting = item is self._item and until is not None and monotonic() < self._rested
        if (item is not self._item or seen != self._drawn) and not resting:
            self._drawn, self._item, self._until = seen, item, until
            self._rested = monotonic() + _REST_SECONDS
            self.refresh()

    def render(self) -> Text:
        item, (width, height) = self._item, self.size
        if item is None or not item.readings or height < LEAST_HEIGHT:
            return Text()
        plan = item.plan or AlertPlan(alert=item.summary.id)
        zero, (start, end) = _zero(item), _span(item, plan, self._until)
        left = self._figure(item, plan, (start - zero, end - zero), rows=height - 2, width=width)
        self.plt.plotsize(width, height - 2)
        self.plt._set_size(width, height - 2)  # plotsize alone keeps the size that it had before
        self.plt.theme("clear")
        chart = Text.from_ansi(self.plt.build(), no_wrap=True).split("\n")[: height - 2]
        times = times_below(_named(item), start, end, left, width)
        return Text("\n", no_wrap=True).join([self._legend(item, width), *chart, Text(times)])

    def _figure(
        self, item: ItemView, plan: AlertPlan, span: tuple[float, float], *, rows: int, width: int
    ) -> int:
        """Draw in so many rows what happened in a span of seconds; returns the cells that are left of it."""
        plot, zero = self.plt, _zero(item)
        plot.clear_figure()
        plot.frame(False)
        plot.xticks([])
        limits = [limit for limit in (plan.threshold, plan.ceiling) if limit is not None]
        points = _points(item, zero)
        highest = max([0.0, *limits, *(value for _, value in points if value is not None)]) or 1.0
        top = highest * (4 * rows - 1) / (4 * rows - 5)  # four dots a row, and the uppermost row is for words
        plot.xlim(*span)
        plot.ylim(0, top)
        for known, part in groupby(points, key=lambda point: point[1] is not None):
            if known:
                times, values = zip(*_thinned(list(part), _POINTS_A_CELL * width), strict=True)
                plot.plot(times, values, marker="braille", color=self._colour("primary"))
        self._window(item, plan, zero, top)
        return self._limits(plan, top, rows)

    def _limits(self, plan: AlertPlan, top: float, rows: int) -> int:
        """The threshold and the ceiling as lines, named at the left by what the value must be: as wide as
        the answer."""
        named: dict[int, tuple[float, str]] = {}
        if plan.ceiling is not None:
            self.plt.hline(plan.ceiling, self._colour("error"))
            named[round(plan.ceiling / top * (rows - 1))] = plan.ceiling, f"max {number(plan.ceiling)}"
        if plan.threshold is not None:
            self.plt.hline(plan.threshold, self._colour("warning"))
            named[round(plan.threshold / top * (rows - 1))] = (
                plan.threshold,
                f"{plan.op} {number(plan.threshold)}",
            )
        self.plt.yticks([at for at, _ in named.values()], [name for _, name in named.values()])
        return max((len(name) for _, name in named.values()), default=0)

    def _window(self, item: ItemView, plan: AlertPlan, zero: float, top: float) -> None:
        """From pending to firing, or to where firing is due: how long the value has to hold."""
        if (window := _window_of(item, plan)) is None:
            return
        begin, end = (edge - zero for edge in window)
        for edge in (begin, end):
            self.plt.vline(edge, self._colour("faint"))
        label = f"for {lasting(plan.for_seconds)}"
        self.plt.text(
            label,
            (begin + end) / 2,
            top,
            color=self._colour("foreground"),
            alignment="center",
            background="default",
        )

    def _legend(self, item: ItemView, width: int) -> Text:
        plan, last = item.plan or AlertPlan(alert=item.summary.id), item.readings[-1]
        values = [reading.value for reading in item.readings if reading.value is not None]
        ended = item.outcome is not None and bool(values)
        parts = [f"highest {number(max(values))}" if ended else f"value {number(last.value)}"]
        if plan.threshold is not None:
            held = f" for {lasting(plan.for_seconds)}" if plan.for_seconds else ""
            parts.append(f"fires {plan.op} {number(plan.threshold)}{held}")
        if plan.ceiling is not None:
            parts.append(f"held below {number(plan.ceiling)}")
        if sent := last.sent + last.passing:
            parts.append(f"{sent} requests")
        while len("   ".join(parts)) > width - 2:
            parts.pop()
        return Text.assemble(" ", (parts[0], "bold") if parts else "", *(f"   {part}" for part in parts[1:]))

    def _colour(self, name: str) -> tuple[int, int, int]:
        return Color.parse(self.app.theme_variables[name]).rgb


def _zero(item: ItemView) -> float:
    """The moment that all others are counted from: that of the cause, else of the first reading."""
    cause = item.hops.get(Hop.CAUSE)
    return cause.reached_at if cause else item.readings[0].scraped_at


def _named(item: ItemView) -> list[tuple[float, str]]:
    """The landmarks that were reached: when, and what they are called."""
    named = []
    for hop in _LANDMARKS:
        if reached := item.hops.get(hop):
            since = "" if hop is Hop.CAUSE else f" {since_cause(item, hop)}"
            named.append((reached.reached_at, f"{hop}{since}"))
    return named


def times_below(named: list[tuple[float, str]], start: float, end: float, left: int, width: int) -> str:
    """The line below the chart, which begins at the column `left`: as many names as fit, each in its place,
    the first before the others."""
    line = " " * width
    for at, name in named:
        middle = left + round((at - start) / (end - start) * (width - left - 1))
        begin = max(0, min(middle - len(name) // 2, width - len(name)))
        if not line[max(0, begin - 1) : begin + len(name) + 1].strip():
            line = line[:begin] + name + line[begin + len(name) :]
    return line.rstrip()


def _span(item: ItemView, plan: AlertPlan, until: float | None) -> tuple[float, float]:
    known = [reading.scraped_at for reading in item.readings]
    known += [item.hops[hop].reached_at for hop in _LANDMARKS if hop in item.hops]
    window = _window_of(item, plan) or ()
    begin, end = min(known), max(*known, *window, until or 0.0)
    return begin, end if end > begin else begin + 1.0


def _window_of(item: ItemView, plan: AlertPlan) -> tuple[float, float] | None:
    pending, firing = item.hops.get(Hop.PENDING), item.hops.get(Hop.FIRING)
    if pending is None or not plan.for_seconds:
        return None
    return pending.reached_at, firing.reached_at if firing else pending.reached_at + plan.for_seconds


def _points(item: ItemView, zero: float) -> list[tuple[float, float | None]]:
    """Each reading as seconds and value; None where there was no finite one."""
    return [
        (reading.scraped_at - zero, reading.value if _finite(reading.value) else None)
        for reading in item.readings
    ]


def _finite(value: float | None) -> bool:
    return value is not None and isfinite(value)


def _thinned(points: list[tuple[float, float | None]], most: int) -> list[tuple[float, float | None]]:
    """At most about so many points: of each stretch its lowest and its highest, so that no peak is lost."""
    if len(points) <= most:
        return points
    step = 2 * len(points) // most + 1
    kept = []
    for index in range(0, len(points), step):
        stretch = sorted(points[index : index + step], key=lambda point: point[1] or 0.0)
        kept += sorted({stretch[0], stretch[-1]})
    return kept
