"""The screen's application: opens the session, lets it work, and gives each screen what it asks for."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from textual.screen import Screen

from opsconsole.errors import OpsconsoleError
from opsconsole.model import Entry
from opsconsole.reports.wording import afterwards, left_behind
from opsconsole.runview import RunView
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
from opsconsole.tui.shell import Shell
from opsconsole.tui.views import VERIFY

OpenSession = Callable[[Callable[[str], None]], AbstractAsyncContextManager[Session]]
"""Opens a session, telling each step of it; called after the first paint, closed before the end."""

ABANDONED = "left before all was closed"


class ConsoleApp(Shell):
    """One environment's run on the screen. `run()` returns the exit code.

    `kind` is that of the run: verify, or alert-test, which is planned before anything is sent. `start` False
    shows the session's run without working through it: of an alert test its plan, until the user says go.
    `clock` gives unix seconds; `theme` is "dark" or "light".
    """

    CSS_PATH = "screens/run.tcss"

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
        super().__init__(theme=theme)
        self._open_session = open_session
        self._start = start
        self._done = False
        self._state = State.STARTING
        self._session: Session | None = None
        self._requests: asyncio.Queue[list[str] | None] = asyncio.Queue()
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
        self.leave_on_signals()
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
        self.stop_work()

    async def action_interrupt(self) -> None:
        """As quit; a second time, while the session closes: leave at once, and say what is left."""
        if self._state is not State.CLOSING:
            await self.action_quit()
        else:
            view = self.run_screen.view
            self.abandon("\n".join([ABANDONED, *left_behind(view), afterwards(view)]))
