"""The screen of a rehearsal: the alerts and panels with their verdicts, and all about the selected one."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer, Static

from opsconsole.rehearse.model import Rehearsal, Verdict
from opsconsole.reports.wording import one_line
from opsconsole.tui.rehearsal_protocol import RehearsalWork
from opsconsole.tui.widgets.banner import Banner
from opsconsole.tui.widgets.rehearsed import RehearsalProgress, progress_line
from opsconsole.tui.widgets.rows import Row, RowList
from opsconsole.tui.widgets.ticking import spinner
from opsconsole.tui.widgets.verdicts import SIGNS as _SIGNS
from opsconsole.tui.widgets.verdicts import verdict_rows, wants_a_look
from opsconsole.tui.widgets.witness import WitnessPane

if TYPE_CHECKING:
    from textual.widgets import Input

SMALLEST = (60, 15)
"""Columns and rows below which the screen says that it is too small."""

_FRAME_SECONDS = 0.05
_TICK_SECONDS = 0.125
_DEPENDING = ("next_bad", "unit_test", "filter", "back")


class RehearseScreen(Screen[None]):
    """Shows verdicts as they come; it asks `work` for the curve of the selected one.

    `environment` is what the banner names; `clock` gives seconds.
    """

    SIGNS = _SIGNS
    AUTO_FOCUS = "#verdicts"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - as Textual declares it
        (0, "-too-narrow"), (SMALLEST[0], "-narrow"), (100, "-medium"), (160, "-wide"),
    ]  # fmt: skip
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-too-short"), (SMALLEST[1], "-short"), (22, "-tall"), (32, "-roomy"),
    ]  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next_bad(1)", "Next bad", tooltip="Go to the next one that is bad or undecided"),
        Binding("N", "next_bad(-1)", "Previous bad", tooltip="Go to the one before that is bad", show=False),
        Binding("t", "unit_test", "Unit test", tooltip="Show the unit test that proves that it fires"),
        Binding(
            "slash",
            "filter",
            "Filter",
            tooltip="Show alerts and panels by words and by verdict",
            priority=True,
        ),
        Binding("T", "app.toggle_theme", "Theme", tooltip="Change between dark and light", show=False),
        Binding("escape", "back", "Back", tooltip="Back to the list, or to all of it", show=False),
    ]

    def __init__(
        self, work: RehearsalWork, *, environment: str, protected: bool, clock: Callable[[], float]
    ) -> None:
        super().__init__()
        self._work, self._clock = work, clock
        self._environment, self._protected = environment, protected
        self.verdicts: dict[str, Verdict] = {}
        self.rehearsal: Rehearsal | None = None
        self.closing = False
        self._seen: Counter[str] = Counter()
        self._told: list[str] = []
        self._first = ""
        self._total = 0
        self._began = clock()
        self._filter = ""
        self._frame: Timer | None = None
        self._ticker: Timer | None = None
        self._valid: list[bool | None] = []
        self._pane = WitnessPane(work.curve)

    @property
    def verdict(self) -> Verdict | None:
        """The selected one."""
        return self.verdicts.get(self._list.key)

    @property
    def is_complete(self) -> bool:
        """Whether all is over and drawn."""
        return self.rehearsal is not None and self._frame is None and self._pane.is_complete

    @property
    def _list(self) -> RowList:
        return self.query_one("#verdicts", RowList)

    def compose(self) -> ComposeResult:
        yield Banner(
            title="rehearsal", environment=self._environment, protected=self._protected, effects=False
        )
        with Container(id="body"):
            with Container(id="left"):
                yield RowList(id="verdicts")
            yield self._pane
        yield RehearsalProgress(id="progress")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self._ticker = self.set_interval(_TICK_SECONDS, self._draw)
        self.call_after_refresh(self._draw)

    def progressed(self, text: str) -> None:
        """It does this now."""
        self._told.append(one_line(text))
        self._draw_soon()

    def counted(self, total: int) -> None:
        """So many verdicts will come."""
        self._total = total
        self._draw_soon()

    def found(self, verdict: Verdict) -> None:
        """One more verdict."""
        key = self._key(verdict)
        self._first = self._first or key
        self.verdicts[key] = verdict
        self._draw_soon()

    def ended(self, rehearsal: Rehearsal) -> None:
        """All verdicts, in their order. Whoever has selected none is led to the first bad one."""
        self.rehearsal = rehearsal
        self._seen.clear()
        self.verdicts = {self._key(verdict): verdict for verdict in rehearsal.verdicts}
        if self._ticker is not None:
            self._ticker.stop()
        untouched = self._list.key in ("", self._first)
        self._draw()
        if untouched:
            self._list.action_edge(0)
            if self.verdict and not wants_a_look(self.verdict):
                self.action_next_bad(1)
        self.call_after_refresh(self._list.show_selected)

    def _key(self, verdict: Verdict) -> str:
        """What a verdict is known by, before and after it has its place among the others."""
        of = (verdict.kind, verdict.file, str(verdict.line), verdict.group, verdict.subject, verdict.expr)
        told = "\0".join(of)
        self._seen[told] += 1
        return f"{told}\0{self._seen[told]}"

    def _draw_soon(self) -> None:
        """Draw within a twentieth of a second, however many verdicts come until then."""
        if self._frame is None and self.is_mounted:
            self._frame = self.set_timer(_FRAME_SECONDS, self._draw)

    def _draw(self) -> None:
        self._frame = None
        if not self.is_mounted:
            return
        self._list.set_rows(self._rows())
        self._tell()
        self.set_class(bool(self.verdicts), "-open")
        self._pane.show(self.verdict)
        valid = [self.check_action(action, ()) for action in _DEPENDING]
        if valid != self._valid:
            self._valid = valid
            self.refresh_bindings()

    def _tell(self) -> None:
        done, line = self.rehearsal, self.query_one(RehearsalProgress)
        if done is not None:
            self.query_one(Banner).tell(f"series: {one_line(done.schema)}  promtool {done.promtool_version}")
        seconds = done.seconds if done else max(0.0, self._clock() - self._began)
        ended = f"exit {self._work.exit_code(done)}" if done else ""
        told = "closing (Ctrl-C leaves at once)" if self.closing else "" if done else (self._told or [""])[-1]
        line.tell(
            progress_line(
                self.verdicts.values(),
                self._total,
                seconds=seconds,
                ended=ended,
                told=told,
                width=line.size.width,
            )
        )

    def _rows(self) -> list[Row]:
        if self.verdicts:
            rows = verdict_rows(self.verdicts, words=self._filter, dense=self.has_class("-narrow"))
            return rows or [Row(((f"nothing matches {self._filter!r}", "faint"),))]
        if self.rehearsal:
            return [Row((("there was nothing to rehearse", "faint"),))]
        *past, current = self._told or ["reading the rules"]
        done = [Row((("✓ ", "pass"), (line, "faint"))) for line in past]
        return [*done, Row(((f"{spinner(self._clock())} ", "running"), (current, "")))]

    def on_resize(self) -> None:
        (width, height), (least_width, least_height) = self.app.size, SMALLEST
        if width < least_width or height < least_height:
            if not self.query("#too-small"):
                self.mount(Static(id="too-small", markup=False))
            self.call_after_refresh(self._tell_size)
        self.call_after_refresh(self._settle)

    def _tell_size(self) -> None:
        (width, height), (least_width, least_height) = self.app.size, SMALLEST
        self.query_one("#too-small", Static).update(
            f"This terminal is too small: {width} x {height}.\n\n"
            f"opsconsole needs {least_width} x {least_height}."
        )

    def _settle(self) -> None:
        """Draw for the new size, and give the keys back where a size too small had taken them."""
        self._draw()
        if self.focused is None:
            self._focus_shown()

    def _focus_shown(self) -> None:
        self.query_one("#verdict" if self._reading else "#verdicts").focus()

    @property
    def _reading(self) -> bool:
        return self.has_class("-reading")

    def on_row_list_highlighted(self, message: RowList.Highlighted) -> None:
        if message.rows.id == "verdicts":
            self._draw()

    def on_row_list_chosen(self, message: RowList.Chosen) -> None:
        if message.rows.id == "verdicts":
            self.add_class("-reading")
            self._focus_shown()
            self.call_after_refresh(self._draw)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what is valid now is offered: in the footer, in the help and in the command palette."""
        if not self.is_mounted:
            return True
        match action:
            case "next_bad":
                return any(map(wants_a_look, self.verdicts.values()))
            case "unit_test":
                return self.verdict is not None and self.verdict.witness is not None
            case "filter":
                return bool(self.verdicts) and not self.query("#filter:focus")
            case "back":
                return self._reading or bool(self._filter) or bool(self.query("#filter"))
        return True

    def action_next_bad(self, by: int) -> None:
        """Select the next bad one in this direction; after the last comes the first."""
        keys = [row.key for row in self._list.rows if row.key]
        bad = [index for index, key in enumerate(keys) if wants_a_look(self.verdicts[key])]
        if not bad:
            return
        here = keys.index(self._list.key)
        after = [index for index in bad if (index > here if by > 0 else index < here)]
        chosen = (after or bad)[0 if by > 0 else -1]
        self._list.select(keys[chosen])

    def action_unit_test(self) -> None:
        from opsconsole.tui.screens.unit_test import UnitTestScreen

        if self.verdict is not None:
            self.app.push_screen(UnitTestScreen(self.verdict, self._work.tests_folder))

    async def action_filter(self) -> None:
        from textual.widgets import Input

        if not self.query("#filter"):
            entry = Input(placeholder="words, or dead, unfed, undecided …", id="filter", compact=True)
            await self.query_one("#left").mount(entry, before=0)
        self.set_focus(self.query_one("#filter"))

    def on_input_changed(self, event: "Input.Changed") -> None:
        self._filter = event.value
        self._draw()

    def on_input_submitted(self, event: "Input.Submitted") -> None:
        self._list.focus()
        if not event.value:
            self._end_filter()

    def action_back(self) -> None:
        if self._reading:
            self.remove_class("-reading")
            self._focus_shown()
            self.call_after_refresh(self._draw)
        else:
            self._end_filter()

    def _end_filter(self) -> None:
        self._filter = ""
        self.query("#filter").remove()
        self._list.focus()
        self._draw()
