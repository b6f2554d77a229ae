"""The application of a rehearsal: does the work beside its screen, and ends with what it came to."""

import time
from collections.abc import Callable

from textual.screen import Screen

from opsconsole.rehearse.model import Verdict
from opsconsole.tui.beside import beside
from opsconsole.tui.rehearsal_protocol import RehearsalWork
from opsconsole.tui.screens.rehearse import RehearseScreen
from opsconsole.tui.shell import Shell


class RehearsalApp(Shell):
    """`run()` returns the exit code: that of the work, 3 where it was left before its end.

    `environment` is what is rehearsed, by its name; `clock` gives seconds.
    """

    CSS_PATH = "screens/rehearse.tcss"

    def __init__(
        self,
        work: RehearsalWork,
        *,
        environment: str,
        protected: bool = False,
        theme: str = "dark",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(theme=theme)
        self._rehearsing = work
        self.rehearse_screen = RehearseScreen(work, environment=environment, protected=protected, clock=clock)

    @property
    def was_left(self) -> bool:
        """Whether the user left it, and no error ended it."""
        return self.rehearse_screen.closing

    def get_default_screen(self) -> Screen[None]:
        return self.rehearse_screen

    def on_mount(self) -> None:
        self.leave_on_signals()
        self.rehearse_screen.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._work = self.run_worker(self._rehearse(), name="rehearsal", exit_on_error=False)

    async def _rehearse(self) -> None:
        screen = self.rehearse_screen

        def progress(text: str) -> None:
            screen.call_later(screen.progressed, text)

        def on_total(total: int) -> None:
            screen.call_later(screen.counted, total)

        def on_verdict(verdict: Verdict) -> None:
            screen.call_later(screen.found, verdict)

        done = await beside(lambda: self._rehearsing.rehearse(progress, on_total, on_verdict))
        self._code = self._rehearsing.exit_code(done)
        screen.call_later(screen.ended, done)

    def work_ended(self) -> None:
        """The screen stays until it is left."""
        if self.rehearse_screen.closing:
            self.exit(self._code)

    async def action_quit(self) -> None:
        """Stop what runs, and leave."""
        if not self.rehearse_screen.closing:
            self.rehearse_screen.closing = True
            self.stop_work()

    async def action_interrupt(self) -> None:
        """As quit; a second time, while it closes: leave at once."""
        if not self.rehearse_screen.closing:
            await self.action_quit()
        else:
            self.abandon("left before all was closed")
