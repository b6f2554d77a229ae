"""The trace of an alert under test: the plan before, the hops as they are reached, a chart of the value."""

import asyncio
import importlib
from collections.abc import Collection
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container
from textual.css.query import NoMatches

from opsconsole.model import Hop, Outcome
from opsconsole.reports.wording import one_line
from opsconsole.runview import ItemView
from opsconsole.tui.text import duration, labelled, style_of
from opsconsole.tui.widgets.hops import hop_rows, passed_by, stopped_here
from opsconsole.tui.widgets.plan import planned_rows
from opsconsole.tui.widgets.rows import Row, RowList
from opsconsole.tui.widgets.ticking import clock, spinner
from opsconsole.tui.widgets.writing import heading, lines

if TYPE_CHECKING:
    from opsconsole.tui.widgets.chart import Chart

_LEAST_WIDTH_BESIDE = 110
"""Cells; from here on the chart stands beside the hops."""

_MARGIN = 5
"""Cells of a row that are not text: where the selection is marked, the right edge, the scrollbar."""

_LEAST_HEIGHT = 12
"""Rows; below it the hops are told in a sentence."""

_LEAST_HEIGHT_WITH_CHART = 18
_CHART_ROWS = (6, 14)


class Trace(Container):
    """Hops and plan as rows, with a chart below or beside them as soon as there is a reading."""

    def __init__(self) -> None:
        super().__init__(id="trace", classes="pane")
        self._chart: Chart | None = None
        self._loading = False
        self._wanted = False
        self._shown: tuple[ItemView, float, bool] | None = None
        self._opened: set[str] = set()

    def compose(self) -> ComposeResult:
        yield RowList(id="hops")

    @property
    def is_complete(self) -> bool:
        """Whether the chart is there, if there is one to show."""
        return not self._wanted or (self._chart is not None and self._chart.is_mounted)

    def show(self, item: ItemView | None, *, now: float, over: bool) -> None:
        """Show the item as it is at `now` (unix seconds); `over`: nothing goes on any more."""
        self._shown = None if item is None else (item, now, over)
        try:
            rows = self.query_one("#hops", RowList)
        except NoMatches:  # not composed yet
            return
        if item is None:
            rows.set_rows([])
        elif self.size.width:
            beside = self.size.width >= _LEAST_WIDTH_BESIDE
            self._wanted = bool(item.readings) and (beside or self.size.height >= _LEAST_HEIGHT_WITH_CHART)
            beside = beside and self._wanted
            width = (self.size.width // 2 - 1 if beside else self.size.width) - _MARGIN
            way = way_rows(
                item, width=width, height=self.size.height, now=now, over=over, opened=self._opened
            )
            rows.set_rows([*way, *_plan_below(item, width)])
            self._place_chart(item, len(way), beside=beside, until=None if over or item.outcome else now)

    def on_resize(self) -> None:
        self._again()

    def on_row_list_resized(self, message: RowList.Resized) -> None:
        message.stop()

    def on_row_list_chosen(self, message: RowList.Chosen) -> None:
        """Show all of a hop's evidence, or one line of it again."""
        message.stop()
        self._opened ^= {message.key}
        self._again()

    def _again(self) -> None:
        if self._shown is not None:
            item, now, over = self._shown
            self.show(item, now=now, over=over)

    def _place_chart(self, item: ItemView, rows: int, *, beside: bool, until: float | None) -> None:
        """Beside the hops, or below them in what their `rows` leave of the height."""
        if self._chart is None:
            if self._wanted and not self._loading:
                self._loading = True
                self.run_worker(self._load_chart(), exit_on_error=False)
            return
        (least, most), height = _CHART_ROWS, self.size.height
        self.set_class(beside, "-beside")
        self._chart.display = self._wanted
        self._chart.styles.height = min(height, 2 * most) if beside else min(max(height - rows, least), most)
        self._chart.show(item, until=until)

    async def _load_chart(self) -> None:
        """The library takes a fifth of a second to load: in a thread, and not before it is needed."""
        module = await asyncio.to_thread(importlib.import_module, "opsconsole.tui.widgets.chart")
        chart: Chart = module.Chart()
        await self.mount(chart)
        self._chart = chart
        self._again()


def way_rows(
    item: ItemView, *, width: int, height: int, now: float, over: bool, opened: Collection[str] = ()
) -> list[Row]:
    """How the test stands, in lines of `width` cells: before it begins its plan, then its hops; those in one
    sentence where there are fewer than a dozen lines, and with all of their evidence where there is room."""
    if item.started_at is None:
        return _before(item, width, over=over)
    rows = [_head(item, now, over=over)]
    if item.outcome is not None and not item.missed:
        rows += lines(one_line(item.text), width)
    rows += _question(item, width)
    if height >= _LEAST_HEIGHT:
        for shown in (tuple(Hop), opened):
            hops = hop_rows(item, width=width, now=now, over=over, opened=shown)
            if len(rows) + len(hops) + _CHART_ROWS[0] <= height:
                break
        return [*rows, *hops]
    rows += passed_by(item, width=width, now=now, over=over)
    if item.missed:
        rows += stopped_here(item.missed, width)
    elif item.waiting:
        rows += lines(f"waiting for {one_line(item.waiting)}", width, "running")
    return rows


def _plan_below(item: ItemView, width: int) -> list[Row]:
    if item.started_at is None or item.plan is None:
        return []
    return [*heading("Plan"), *planned_rows(item.plan, width=width)]


def _before(item: ItemView, width: int, *, over: bool) -> list[Row]:
    said = "not tested" if over else "not tested yet: nothing has been sent"
    head = [Row(((one_line(item.summary.title), "strong"),)), Row(((f"· {said}", "faint"),))]
    return head if item.plan is None else [*head, Row(), *planned_rows(item.plan, width=width)]


def _head(item: ItemView, now: float, *, over: bool) -> Row:
    title = (one_line(item.summary.title), "strong")
    if item.outcome is not None:
        mark = (f"{labelled(item.outcome)} ", style_of(item.outcome))
        return Row((mark, title), (duration(item.seconds), "faint"))
    if over:
        return Row((("· cut off  ", "unknown"), title))
    left = clock(item, now)
    return Row(((f"{spinner(now)} running  ", "running"), title), (left, "running"))


def _question(item: ItemView, width: int) -> list[Row]:
    if item.outcome is not Outcome.SIGN_OFF or item.sign_off is not None:
        return []
    asked = lines(item.question or "Is this right?", width, "strong", mark=("✎ ", "sign-off"))
    return [*asked, *lines("press s to sign off", width, "link", indent="  ")]
