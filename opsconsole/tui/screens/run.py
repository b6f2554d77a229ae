"""The screen of a run: the checklist and all about the selected item, live or as it was recorded."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer, Static

from opsconsole.model import Exchange, Outcome
from opsconsole.reports.wording import one_line, servers
from opsconsole.runview import ItemView, RunView
from opsconsole.tui.messages import (
    Opened,
    Progressed,
    Recorded,
    RunRequested,
    SignOffRequested,
    State,
    StateChanged,
)
from opsconsole.tui.views import VERIFY, view_bindings, views_of
from opsconsole.tui.widgets.banner import Banner
from opsconsole.tui.widgets.checklist import checklist_rows
from opsconsole.tui.widgets.progress import Progress
from opsconsole.tui.widgets.rows import Row, RowList
from opsconsole.tui.widgets.ticking import spinner

if TYPE_CHECKING:
    from textual.widgets import Input

    from opsconsole.store import Records
    from opsconsole.tui.widgets.detail import Detail

SMALLEST = (60, 16)
"""Columns and rows below which the screen says that it is too small."""

_FRAME_SECONDS = 0.05
_TICK_SECONDS = 0.125
_RUNS_OFFERED = 100
_TICKING = (State.STARTING, State.PLANNING, State.RUNNING)
_DEPENDING = ("go", "run_item", "run_all", "sign_off", "copy_curl", "open_run", "filter", "back")


class RunScreen(Screen[None]):
    """Shows one run. It changes nothing itself: it asks for it by messages.

    `asks`: whether the user is asked again before anything is done that sends something.
    """

    KIND: ClassVar[str] = VERIFY
    HEADING: ClassVar[str] = "opsconsole"

    AUTO_FOCUS = "#checklist"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - as Textual declares it
        (0, "-too-narrow"), (SMALLEST[0], "-narrow"), (100, "-medium"), (160, "-wide"),
    ]  # fmt: skip
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-too-short"), (SMALLEST[1], "-short"), (22, "-tall"), (32, "-roomy"),
    ]  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run_item", "Again", tooltip="Run the selected item again"),
        Binding("R,a", "run_all", "All", tooltip="Run all items again"),
        Binding("s", "sign_off", "Sign off", tooltip="Judge the selected item: pass or fail, with a note"),
        Binding("slash", "filter", "Filter", tooltip="Show items by words and by outcome"),
        Binding("c", "copy_curl", "Curl", tooltip="Copy the selected request as a curl line"),
        Binding("o", "open_run", "Runs", tooltip="Open a past run"),
        Binding("d", "compare", "Compare", tooltip="Compare this run with another"),
        *view_bindings(VERIFY),
        Binding("escape", "back", "Back", tooltip="Back to the checklist, or to the run before", show=False),
    ]

    def __init__(
        self,
        view: RunView,
        *,
        environment: str,
        protected: bool,
        effects: bool,
        clock: Callable[[], float],
        records: "Records | None" = None,
        past: bool = False,
        asks: bool = False,
    ) -> None:
        super().__init__()
        self._asks = asks
        self.view = view
        self.state = State.PAST if past else State.STARTING
        self._environment, self._protected, self._effects = environment, protected, effects
        self._clock = clock
        self._records = records
        self._filter = ""
        self._startup: list[str] = []
        self._began = 0.0
        self._frame: Timer | None = None
        self._ticker: Timer | None = None
        self._valid: list[bool | None] = []
        self._detail: Detail | None = None

    @property
    def item(self) -> ItemView | None:
        """The selected item."""
        return self.view.items.get(self.query_one("#checklist", RowList).key)

    @property
    def exchange(self) -> Exchange | None:
        """The request that a curl line would be copied of."""
        return self._detail.exchange if self._detail else None

    @property
    def _over(self) -> bool:
        """Whether nothing of the run goes on any more."""
        return self.state in (State.IDLE, State.PAST)

    @property
    def is_complete(self) -> bool:
        """Whether everything is mounted that belongs to what is known of the run."""
        return self._detail is not None and self._detail.is_complete

    def compose(self) -> ComposeResult:
        past = self.view.start.run if self.state is State.PAST and self.view.start else ""
        yield Banner(
            title=self.HEADING,
            environment=self._environment,
            protected=self._protected,
            effects=self._effects,
            past=past,
        )
        with Container(id="body"), Container(id="left"):
            yield RowList(id="checklist")
        yield Progress(id="progress")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self.set_class(self._protected, "-protected")
        self._ticker = self.set_interval(_TICK_SECONDS, self._draw, pause=self.state is not State.STARTING)
        self.call_after_refresh(self._complete)

    def _complete(self) -> None:
        """After the first paint: what is known of the run already."""
        if not self.is_attached:
            return
        self._draw()

    def on_resize(self) -> None:
        (width, height), (least_width, least_height) = self.app.size, SMALLEST
        if width < least_width or height < least_height:
            if not self.query("#too-small"):
                self.mount(Static(id="too-small", markup=False))
            self.call_after_refresh(self._tell_size)
        self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        """Draw for the new size, and give the keys back where a size too small had taken them."""
        self._draw()
        if self.focused is None:
            self._focus_shown()

    def _focus_shown(self) -> None:
        if self._reading and self._detail is not None:
            self._detail.focus_shown()
        else:
            self.query_one("#checklist").focus()

    def _tell_size(self) -> None:
        (width, height), (least_width, least_height) = self.app.size, SMALLEST
        self.query_one("#too-small", Static).update(
            f"This terminal is too small: {width} x {height}.\n\n"
            f"opsconsole needs {least_width} x {least_height}."
        )

    def on_opened(self, message: Opened) -> None:
        self._records = message.records
        for entry in message.entries:
            self.view.feed(entry)
        self._draw_soon()

    def on_recorded(self, message: Recorded) -> None:
        self.view.feed(message.entry)
        self._draw_soon()

    def on_progressed(self, message: Progressed) -> None:
        self._startup.append(message.text)
        self._draw_soon()

    def on_state_changed(self, message: StateChanged) -> None:
        if message.state is State.RUNNING:
            self._began = self._clock()
        self.state = message.state
        if self._ticker is not None:
            (self._ticker.resume if self.state in _TICKING else self._ticker.pause)()
        self._draw()

    def _draw_soon(self) -> None:
        """Draw within a twentieth of a second, however many entries come until then."""
        if self._frame is None:
            self._frame = self.set_timer(_FRAME_SECONDS, self._draw)

    def _draw(self) -> None:
        self._frame = None
        if not self.is_mounted:
            return
        self.query_one("#checklist", RowList).set_rows(self._rows())
        self.query_one(Progress).tell(self.view, self.state, elapsed=max(0.0, self._clock() - self._began))
        self.query_one(Banner).tell(self._note())
        self._draw_detail()

    def _draw_detail(self) -> None:
        if self._detail is None and self.view.items:
            from opsconsole.tui.widgets.detail import Detail

            self._detail = Detail(views_of(self.KIND), clock=self._clock)
            self.add_class("-open")
            self.query_one("#body").mount(self._detail)
            self.call_after_refresh(self._draw)
        if self._detail is not None and self._detail.is_mounted:
            self._detail.records = self._records
            self._detail.draw(self.view, self.item, over=self._over)
        valid = [self.check_action(action, ()) for action in _DEPENDING]
        if valid != self._valid:
            self._valid = valid
            self.refresh_bindings()

    def _rows(self) -> list[Row]:
        now = self._clock()
        if not self.view.items:
            *done, current = self._startup or ["opening the environment"]
            past = [Row((("✓ ", "pass"), (one_line(line), "faint"))) for line in done]
            return [*past, Row(((f"{spinner(now)} ", "running"), (one_line(current), "")))]
        dense = self.has_class("-narrow")
        width = self.query_one("#checklist", RowList).scrollable_content_region.width
        rows = checklist_rows(
            self.view, now=now, over=self._over, width=width, filter=self._filter, dense=dense
        )
        return rows or [Row(((f"no item matches {self._filter!r}", "faint"),))]

    def _note(self) -> str:
        run = self.view.start.run if self.view.start and self.state is not State.PAST else ""
        return "  ".join(part for part in (run, servers(self.view)) if part)

    def on_row_list_highlighted(self, message: RowList.Highlighted) -> None:
        if message.rows.id in ("checklist", "evidence"):
            self._draw_detail()

    def on_row_list_chosen(self, message: RowList.Chosen) -> None:
        if message.rows.id == "checklist":
            self.action_read()
        elif message.rows.id == "history":
            self._show_run(message.key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what is valid now is offered: in the footer, in the help and in the command palette."""
        if not self.is_mounted:
            return True
        match action:
            case "run_item":
                return self.state is State.IDLE and self.item is not None
            case "run_all":
                return self.state is State.IDLE
            case "sign_off":
                return (
                    self.state in (State.IDLE, State.RUNNING)
                    and self.item is not None
                    and self.item.outcome is Outcome.SIGN_OFF
                )
            case "copy_curl":
                return self.exchange is not None
            case "open_run" | "compare":
                return self._records is not None
            case "filter":
                return bool(self.view.items)
            case "back":
                return self._reading or bool(self._filter) or self.state is State.PAST
        return True

    @property
    def _reading(self) -> bool:
        return self.has_class("-reading")

    def action_run_item(self) -> None:
        if self.item is not None:
            self._request([self.item.summary.id])

    def action_run_all(self) -> None:
        self._request(None)

    def _request(self, ids: list[str] | None) -> None:
        self.post_message(RunRequested(ids))

    def action_view(self, name: str) -> None:
        if self._detail is not None:
            self._detail.look_at(name)
            self._draw_detail()

    def action_read(self) -> None:
        if self._detail is not None:
            self.add_class("-reading")
            self._focus_shown()
            self.call_after_refresh(self._draw)

    def action_back(self) -> None:
        if self._reading:
            self.remove_class("-reading")
            self._focus_shown()
            self.call_after_refresh(self._draw)
        elif self._filter or self.query("#filter"):
            self._end_filter()
        elif self.state is State.PAST:
            self.dismiss()

    def action_filter(self) -> None:
        from textual.widgets import Input

        if not self.query("#filter"):
            self.query_one("#left").mount(
                Input(placeholder="words, or fail, unknown, sign-off …", id="filter", compact=True), before=0
            )
        self.call_after_refresh(lambda: self.query_one("#filter").focus())

    def on_input_changed(self, event: "Input.Changed") -> None:
        self._filter = event.value
        self._draw()

    def on_input_submitted(self, event: "Input.Submitted") -> None:
        self.query_one("#checklist").focus()
        if not event.value:
            self._end_filter()

    def _end_filter(self) -> None:
        self._filter = ""
        self.query("#filter").remove()
        self.query_one("#checklist").focus()
        self._draw()

    def action_copy_curl(self) -> None:
        from opsconsole.reports.curl import curl_line

        if self.exchange is not None:
            self.app.copy_to_clipboard(curl_line(self.exchange))
            where = f"{self.exchange.method} {self.exchange.server}"
            self.notify(f"copied as a curl line: {where}", markup=False)

    def action_sign_off(self) -> None:
        from opsconsole.tui.screens.sign_off import SignOffScreen

        item = self.item
        if item is not None:
            screen = SignOffScreen(item, environment=self._environment, protected=self._protected)
            self.app.push_screen(screen, self._signed)

    def _signed(self, request: SignOffRequested | None) -> None:
        if request is not None:
            self.post_message(request)

    def action_open_run(self) -> None:
        self._choose_run("Open a past run", self._show_run)

    def action_compare(self) -> None:
        self._choose_run("Compare with", self._show_comparison)

    def _choose_run(self, title: str, then: Callable[[str], None]) -> None:
        from opsconsole.tui.screens.runs import RunsScreen

        if self._records is not None:
            current = self.view.start.run if self.view.start else ""
            runs = [run for run in self._records.runs(_RUNS_OFFERED) if run.run != current]
            self.app.push_screen(RunsScreen(title, runs), lambda run: then(run) if run else None)

    def _show_run(self, run: str) -> None:
        if self._records is None or (self.view.start and run == self.view.start.run):
            return
        from opsconsole.tui.screens.alert_test import screen_of

        view = RunView.of(self._records.entries(run))
        if view.start is not None:
            self.app.push_screen(
                screen_of(view.start.kind)(
                    view,
                    environment=view.start.environment,
                    protected=view.start.protected,
                    effects=view.start.effects,
                    clock=self._clock,
                    records=self._records,
                    past=True,
                )
            )

    def _show_comparison(self, run: str) -> None:
        from opsconsole.tui.screens.compare import CompareScreen

        if self._records is not None:
            other = RunView.of(self._records.entries(run))
            before, after = sorted((other, self.view), key=lambda view: view.started_at)
            self.app.push_screen(CompareScreen(before, after))
