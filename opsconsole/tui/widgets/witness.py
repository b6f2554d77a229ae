"""One verdict with, below it, the chart of the incident that fires it, as soon as that is drawn."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Static

from opsconsole.errors import OpsconsoleError
from opsconsole.rehearse.model import Verdict
from opsconsole.tui.text import plain
from opsconsole.tui.widgets.rows import RowList
from opsconsole.tui.widgets.verdict import VerdictRows

if TYPE_CHECKING:
    from opsconsole.rehearse.curve import Curve
    from opsconsole.tui.widgets.incident import IncidentChart

AskCurve = Callable[[Verdict], Awaitable["Curve | None"]]

_LEAST_HEIGHT = 12
"""Rows; below it there is no chart."""

_CHART_ROWS = (7, 16)
_REST_SECONDS = 0.08
"""How long one stays at an alert before its chart is asked for."""


class WitnessPane(Container):
    """`ask` gives the curve of a verdict: it is asked for the one that is shown, and once each."""

    def __init__(self, ask: AskCurve) -> None:
        super().__init__(id="detail")
        self._ask = ask
        self._verdict: Verdict | None = None
        self._curves: dict[int, Curve | str] = {}
        self._asked: Verdict | None = None
        self._chart: IncidentChart | None = None

    def compose(self) -> ComposeResult:
        yield VerdictRows(id="verdict")
        yield Static(id="drawing", markup=False)

    @property
    def is_complete(self) -> bool:
        """Whether everything is drawn that belongs to what is shown."""
        return not self._wanted or id(self._verdict) in self._curves

    @property
    def _wanted(self) -> bool:
        """Whether there is a curve to draw, and room for it."""
        verdict = self._verdict
        return bool(verdict and verdict.witness and verdict.rule) and self.size.height >= _LEAST_HEIGHT

    def show(self, verdict: Verdict | None) -> None:
        """Show this verdict, and ask for its curve where it has one."""
        self._verdict = verdict
        if not self.is_mounted or not self.query("#drawing"):
            return
        self.query_one(VerdictRows).show(verdict)
        if not self._wanted:
            self._leave_off()
        elif id(verdict) not in self._curves and self._asked is not verdict:
            self._asked = verdict
            self.run_worker(self._draw(verdict), group="curve", exclusive=True)  # type: ignore[arg-type]
        self._place()

    def on_resize(self) -> None:
        self.show(self._verdict)

    def on_row_list_resized(self, message: RowList.Resized) -> None:
        message.stop()
        self.show(self._verdict)

    def _leave_off(self) -> None:
        if self._asked is not None:
            self._asked = None
            self.workers.cancel_group(self, "curve")

    async def _draw(self, verdict: Verdict) -> None:
        await asyncio.sleep(_REST_SECONDS)
        try:
            curve = await self._ask(verdict)
        except OpsconsoleError as error:
            drawn: Curve | str = f"could not be drawn: {plain(str(error))}"
        else:
            drawn = curve or "there is no value to draw"
        if self._chart is None and not isinstance(drawn, str):
            await self._load_chart()
        self._curves[id(verdict)] = drawn
        self._asked = None
        self.show(self._verdict)

    async def _load_chart(self) -> None:
        """The library takes a fifth of a second to load: in a thread, and not before it is needed."""
        module = await asyncio.to_thread(importlib.import_module, "opsconsole.tui.widgets.incident")
        if self._chart is None:
            chart: IncidentChart = module.IncidentChart()
            self._chart = chart
            await self.mount(chart)

    def _place(self) -> None:
        """The chart, or what is to be said in its place, in what the rows leave of the height."""
        drawn = self._curves.get(id(self._verdict)) if self._wanted else None
        said = self.query_one("#drawing", Static)
        said.display = self._wanted and (drawn is None or isinstance(drawn, str))
        said.update(f" {drawn}" if isinstance(drawn, str) else " drawing …")
        if self._chart is None:
            return
        self._chart.display = drawn is not None and not isinstance(drawn, str)
        if drawn is not None and not isinstance(drawn, str):
            (least, most), rows = _CHART_ROWS, len(self.query_one(VerdictRows).rows)
            self._chart.styles.height = min(max(self.size.height - rows - 1, least), most)
            self._chart.show(drawn)
