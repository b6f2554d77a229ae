"""All about the selected item: result, evidence, what to do, history."""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from opsconsole import content
from opsconsole.model import Exchange
from opsconsole.runview import ItemView, RunView
from opsconsole.tui.widgets.evidence import evidence_rows
from opsconsole.tui.widgets.history import history_rows
from opsconsole.tui.widgets.result import result_rows
from opsconsole.tui.widgets.rows import Row, RowList

if TYPE_CHECKING:
    from opsconsole.store import Records
    from opsconsole.tui.widgets.trace import Trace


class Detail(Container):
    """One view of the selected item, or two on a large screen. Each is made when it is first looked at.

    `views` are their names and titles, the one that is shown first before the others.
    """

    def __init__(self, views: Mapping[str, str], *, clock: Callable[[], float]) -> None:
        super().__init__(id="detail")
        self.view = next(iter(views))
        self._views = views
        self.records: Records | None = None
        self._clock = clock
        self._run: RunView | None = None
        self._item: ItemView | None = None
        self._over = False
        self._opened: set[str] = set()
        self._history_of: tuple[str, object] | None = None
        self._history: list[Row] = []

    def compose(self) -> ComposeResult:
        yield Static(id="views")
        yield Container(id="panes")

    @property
    def shown(self) -> list[str]:
        """The views in sight: two where the screen has room for them, side by side or stacked."""
        if not self.screen.has_class("-wide") and not self.screen.has_class("-roomy"):
            return [self.view]
        first = next(iter(self._views))
        if self.view == first:
            return [first] if first == "trace" else [first, "evidence"]
        return [first, self.view]

    @property
    def is_complete(self) -> bool:
        """Whether everything is drawn that belongs to what is shown."""
        if not self.display:
            return True
        if not self.is_mounted or not all(self.query(f"#{name}") for name in self.shown):
            return False
        lists = [rows for rows in self.query(RowList) if rows.id in (*self.shown, "hops")]
        drawn = self._item is None or all(rows.rows for rows in lists)
        return drawn and ("trace" not in self.shown or self._trace.is_complete)

    @property
    def exchange(self) -> Exchange | None:
        """The selected exchange, else the first that went wrong, else the first."""
        exchanges = self._item.exchanges if self._item else []
        selected = self._rows("evidence").key if self.query("#evidence") else ""
        chosen = [x for x in exchanges if x.id == selected]
        wrong = [x for x in exchanges if x.error or (x.status or 0) >= 400]
        return next(iter([*chosen, *wrong, *exchanges]), None)

    def look_at(self, name: str) -> None:
        """Choose a view; choosing the runbook again leads back from a page that it linked to."""
        if name == self.view == "runbook":
            from opsconsole.tui.widgets.runbook import Runbook

            self.query_one(Runbook).home()
        self.view = name

    def focus_shown(self) -> None:
        """Let the keys go to the view in sight."""
        if self.query(f"#{self.view}"):
            self.query_one("#hops" if self.view == "trace" else f"#{self.view}").focus()

    def draw(self, run: RunView, item: ItemView | None, *, over: bool) -> None:
        """Show `item` as it is now; `over`: nothing runs any more."""
        if (self._item and self._item.summary.id) != (item and item.summary.id):
            self._opened.clear()
        self._run, self._item, self._over = run, item, over
        shown = self.shown
        self._draw_views(shown)
        for name in shown:
            self._ensure(name)
        for pane in self.query(".pane"):
            pane.display = pane.id in shown
            pane.set_class(pane.id != shown[0], "-second")
        for name in shown:
            self._fill(name)

    def on_resize(self) -> None:
        self._draw_views(self.shown)

    def on_row_list_chosen(self, message: RowList.Chosen) -> None:
        if message.rows.id == "evidence":
            message.stop()
            self._opened ^= {message.key}
            self._fill("evidence")

    def on_row_list_resized(self, message: RowList.Resized) -> None:
        message.stop()
        if message.rows.id:
            self._fill(message.rows.id)

    def _draw_views(self, shown: list[str]) -> None:
        """The views by their numbers and titles; where there is no room, the others' numbers alone."""
        counted, plain = self._labels(shown, self._views), self._labels(shown, self._views, counted=False)
        lines = [
            Content(" ").join([Content(""), *counted, Content("")]),
            Content("").join(counted),
            Content("").join(plain),
        ]
        fitting = (line for line in lines if line.cell_length < self.size.width)
        short = Content("").join(self._labels(shown, shown))
        self.query_one("#views", Static).update(next(fitting, short))

    def _labels(self, shown: list[str], titled: Collection[str], *, counted: bool = True) -> list[Content]:
        labels = []
        for number, (name, title) in enumerate(self._views.items(), 1):
            style = "bold $foreground on $cursor" if name in shown else "$faint"
            count = len(self._item.exchanges) if counted and name == "evidence" and self._item else 0
            told = f" {title}{f' ({count})' if count else ''}" if name in titled else ""
            label = Content.from_markup(f"[@click=screen.view('{name}')] {number}{told} [/]")
            labels.append(label.stylize(style))
        return labels

    def _ensure(self, name: str) -> None:
        if self.query(f"#{name}"):
            return
        pane: Widget
        if name == "runbook":
            from opsconsole.tui.widgets.runbook import Runbook

            pane = Runbook(id="runbook", classes="pane")
        elif name == "trace":
            from opsconsole.tui.widgets.trace import Trace

            pane = Trace()
        else:
            pane = RowList(id=name, classes="pane")
        self.query_one("#panes").mount(pane)

    def _fill(self, name: str) -> None:
        if not self.query(f"#{name}") or self._run is None:
            return
        if name == "trace":
            self._trace.show(self._item, now=self._clock(), over=self._over)
        elif self._item is None:
            if name != "runbook":
                self._rows(name).set_rows([])
        elif name == "runbook":
            self._fill_runbook(self._item)
        elif self._rows(name).scrollable_content_region.width:
            self._rows(name).set_rows(self._rows_of(name, self._item))

    def _rows_of(self, name: str, item: ItemView) -> list[Row]:
        width = self._rows(name).scrollable_content_region.width - 2
        if name == "evidence":
            return evidence_rows(item.exchanges, opened=self._opened, width=width)
        if name == "history":
            return self._history_rows(item)
        has_page = any(content.runbook(check) is not None for check in item.summary.checks)
        page = str(list(self._views).index("runbook") + 1) if has_page else ""
        return result_rows(item, width=width, now=self._clock(), over=self._over, page=page)

    def _history_rows(self, item: ItemView) -> list[Row]:
        start = self._run.start if self._run else None
        if self.records is None or start is None:
            return []
        key = (item.summary.id, (item.outcome, item.started_at, item.sign_off))
        if key != self._history_of:
            self._history_of = key
            self._history = history_rows(self.records, start.environment, item.summary.id, current=start.run)
        return self._history

    def _fill_runbook(self, item: ItemView) -> None:
        from opsconsole.tui.widgets.runbook import Runbook

        self.query_one(Runbook).show(item.summary.checks)

    @property
    def _trace(self) -> "Trace":
        from opsconsole.tui.widgets.trace import Trace

        return self.query_one(Trace)

    def _rows(self, name: str) -> RowList:
        return self.query_one(f"#{name}", RowList)
