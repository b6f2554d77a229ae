"""The screen's application: opens the session, lets it work, and gives each screen what it asks for."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from opsconsole.errors import OpsconsoleError
from opsconsole.model import Entry
from opsconsole.reports.wording import afterwards, left_behind
from opsconsole.runview import RunView
from opsconsole.tui import themes
from opsconsole.tui.messages import (
    Opened,
    Progressed,
    Recorded,
    RunRequested,
    SignOffRequested,
    State,
    StateChanged,
)
from opsconsole.tui.screens.alert_test import screen_of
from opsconsole.tui.session_protocol import Planning, Session
from opsconsole.tui.text import plain
from opsconsole.tui.views import VERIFY

OpenSession = Callable[[Callable[[str], None]], AbstractAsyncContextManager[Session]]
"""Opens a session, telling each step of it; called after the first paint, closed before the end."""

INTERRUPTED = 3
"""The exit code of a console that was left before its run was over: not everything is known."""

ABANDONED = "left before all was closed"


class ConsoleApp(App[int]):
    """One environment's run on the screen. `run()` returns the exit code.

    `kind` is that of the run: verify, or alert-test, which is planned before anything is sent. `start` False
    shows the session's run without working through it: of an alert test its plan, until the user says go.
    `clock` gives unix seconds; `theme` is "dark" or "light".
    """

    TITLE = "opsconsole"
    CSS_PATH = "screens/run.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "toggle_theme", "Theme", tooltip="Change between dark and light", show=False),
        Binding("question_mark", "help", "Help", tooltip="Show the keys that are valid now", key_display="?"),
        Binding("q", "quit", "Quit", tooltip="Stop what runs and leave"),
        Binding("ctrl+c", "interrupt", "Quit", tooltip="Stop what runs and leave", show=False, priority=True),
    ]

    def __init__(
        self,
        *,
        open_session: OpenSession,
        environment: str,
        protected: bool,
        effects: bool,
        kind: str = VERIFY,
        start: bool = True,
        theme: str = "dark",
        clock: Callable[[], float] = time.time,
    ) -> None:
        colourless = themes.without_colour()
        if colourless:
            os.environ["NO_COLOR"] = "1"
        super().__init__(ansi_color=True if colourless else None)
        self._open_session = open_session
        self._start = start
        self._done = False
        self._state = State.STARTING
        self._session: Session | None = None
        self._requests: asyncio.Queue[list[str] | None] = asyncio.Queue()
        self._work: Worker[None] | None = None
        self._code = INTERRUPTED
        self._abandoned = False
        for palette in (themes.DARK, themes.LIGHT):
            self.register_theme(palette)
        self.theme = f"opsconsole-{theme}"
        self.run_screen = screen_of(kind)(
            RunView(),
            environment=environment,
            protected=protected,
            effects=effects,
            clock=clock,
            asks=not start,
        )

    def get_default_screen(self) -> Screen[None]:
        return self.run_screen

    def on_mount(self) -> None:
        if not self.is_headless:
            for number in (signal.SIGTERM, signal.SIGHUP):  # a closed window is a wish to leave
                asyncio.get_running_loop().add_signal_handler(number, self.call_later, self.action_quit)
        self.run_screen.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._work = self.run_worker(self._live(), name="session", exit_on_error=False)

    async def _live(self) -> None:
        """Open the session, run what is asked for until cancelled, and close it: all in one task."""
        async with self._open_session(self._progressed) as session:
            self._session = session
            entries = list(session.records.entries(session.recorder.run))
            session.recorder.add_reader(self._recorded)
            self.run_screen.post_message(Opened(session.records, entries))
            waits = State.IDLE
            if isinstance(session.verification, Planning):
                self._set_state(State.PLANNING)
                await session.verification.prepare()
                waits = State.PLANNED
            if self._start:
                self._requests.put_nowait(list(RunView.of(entries).unfinished()) or None)
            while True:
                self._set_state(waits if self._requests.empty() else State.RUNNING)
                ids = await self._requests.get()
                self._set_state(State.RUNNING)
                await session.verification.run(ids)
                self._done, waits = True, State.IDLE

    def _progressed(self, text: str) -> None:
        self.run_screen.post_message(Progressed(text))

    def _recorded(self, entry: Entry) -> None:
        self.run_screen.post_message(Recorded(entry))

    def _set_state(self, state: State) -> None:
        if self._state is not State.CLOSING and self._state is not state:
            self._state = state
            self.run_screen.post_message(StateChanged(state))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.worker is not self._work or event.state in (WorkerState.PENDING, WorkerState.RUNNING):
            return
        error = event.worker.error
        if event.state is not WorkerState.ERROR or error is None:
            self.exit(self._code)
        elif known := _known(error):
            from opsconsole.tui.screens.failure import FailureScreen

            self._code = known.exit_code
            said = Text(plain(f"opsconsole: {known}"))
            self.push_screen(FailureScreen(known), lambda _: self.exit(self._code, message=said))
        else:
            self._handle_exception(error if isinstance(error, Exception) else RuntimeError(repr(error)))

    def on_run_requested(self, message: RunRequested) -> None:
        if self._state in (State.IDLE, State.PLANNED):
            self._requests.put_nowait(message.ids)

    def on_sign_off_requested(self, message: SignOffRequested) -> None:
        if self._session is None:
            return
        try:
            self._session.verification.sign_off(
                message.item, who=message.who, passed=message.passed, note=message.note
            )
        except OpsconsoleError as error:
            self.notify(str(error), severity="error", markup=False)

    async def action_quit(self) -> None:
        """Stop what runs, close the session, leave. The exit code is the run's, if it was over."""
        if self._state is State.CLOSING:
            return
        if self._state is State.IDLE and self._done:
            self._code = self.run_screen.view.exit_code
        self._set_state(State.CLOSING)
        if self._work is None or self._work.is_finished:
            self.exit(self._code)
        else:
            self._work.cancel()

    async def action_interrupt(self) -> None:
        """As quit; a second time, while the session closes: leave at once, and say what is left."""
        if self._state is not State.CLOSING:
            await self.action_quit()
        elif not self._abandoned:
            self._abandoned = True
            view = self.run_screen.view
            self.exit(INTERRUPTED, message=Text("\n".join([ABANDONED, *left_behind(view), afterwards(view)])))

    async def run_async(self, *args: Any, **kwargs: Any) -> int | None:
        code = await super().run_async(*args, **kwargs)
        if self._abandoned:
            sys.stdout.flush()
            os._exit(INTERRUPTED)  # the loop would wait for the session to close
        return code

    def action_toggle_theme(self) -> None:
        dark = self.theme == themes.DARK.name
        self.theme = themes.LIGHT.name if dark else themes.DARK.name

    def action_help(self) -> None:
        from opsconsole.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(a for a in self.screen.active_bindings.values() if not a.binding.system))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("help", "command_palette"):
            return not self.screen.is_modal
        return True

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What is valid now, from the bindings: so that keys, help and palette are always the same."""
        offered = set()
        for active in screen.active_bindings.values():
            binding = active.binding
            if active.enabled and active.tooltip and active.tooltip not in offered:
                offered.add(active.tooltip)
                run = partial(self.run_action, binding.action, active.node)
                yield SystemCommand(binding.description, active.tooltip, run)


def _known(error: BaseException) -> OpsconsoleError | None:
    """The error that explains itself, also from inside a group of errors."""
    if isinstance(error, OpsconsoleError):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next((known for inner in error.exceptions if (known := _known(inner))), None)
    return None
