"""What the applications have in common: keys, palettes, help, and how an error ends them."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from opsconsole.errors import OpsconsoleError
from opsconsole.tui import themes
from opsconsole.tui.text import plain

INTERRUPTED = 3
"""The exit code of a console that was left before its work was over: not everything is known."""


class Shell(App[int]):
    """An application with one worker `_work`, whose end is its end. `run()` returns the exit code.

    `theme` is "dark" or "light".
    """

    TITLE = "opsconsole"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "toggle_theme", "Theme", tooltip="Change between dark and light", show=False),
        Binding("question_mark", "help", "Help", tooltip="Show the keys that are valid now", key_display="?"),
        Binding("q", "quit", "Quit", tooltip="Stop what runs and leave"),
        Binding("ctrl+c", "interrupt", "Quit", tooltip="Stop what runs and leave", show=False, priority=True),
    ]

    def __init__(self, *, theme: str = "dark") -> None:
        colourless = themes.without_colour()
        if colourless:
            os.environ["NO_COLOR"] = "1"
        super().__init__(ansi_color=True if colourless else None)
        self._work: Worker[None] | None = None
        self._code = INTERRUPTED
        self._abandoned = False
        for palette in (themes.DARK, themes.LIGHT):
            self.register_theme(palette)
        self.theme = f"opsconsole-{theme}"

    def leave_on_signals(self) -> None:
        """SIGTERM and a closed window are a wish to leave."""
        if self.is_headless:
            return
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.call_later, self.action_quit)
        terminals = [number for number in (1, 2) if os.isatty(number)]

        def window_closed(*_: object) -> None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for number in terminals:
                os.dup2(nowhere, number)  # Textual would wait for ever to write to a window that is gone
            loop.call_soon_threadsafe(self.call_later, self.action_quit)

        signal.signal(signal.SIGHUP, window_closed)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.worker is not self._work or event.state in (WorkerState.PENDING, WorkerState.RUNNING):
            return
        error = event.worker.error
        if event.state is not WorkerState.ERROR or error is None:
            self.work_ended()
        elif known := _known(error):
            from opsconsole.tui.screens.failure import FailureScreen

            self._code = known.exit_code
            said = Text(plain(f"opsconsole: {known}"))
            self.push_screen(FailureScreen(known), lambda _: self.exit(self._code, message=said))
        else:
            self._handle_exception(error if isinstance(error, Exception) else RuntimeError(repr(error)))

    def work_ended(self) -> None:
        """The work is over, or was stopped."""
        self.exit(self._code)

    def stop_work(self) -> None:
        """Cancel the work, whose end ends the application; where it is over already, leave."""
        if self._work is None or self._work.is_finished:
            self.exit(self._code)
        else:
            self._work.cancel()

    def abandon(self, message: str) -> None:
        """Leave at once, with these words: whatever still closes is not waited for."""
        if not self._abandoned:
            self._abandoned = True
            self.exit(INTERRUPTED, message=Text(message))

    async def run_async(self, *args: Any, **kwargs: Any) -> int | None:
        code = await super().run_async(*args, **kwargs)
        if self._abandoned:
            sys.stdout.flush()
            os._exit(INTERRUPTED)  # the loop would wait for the work to close
        return code

    def action_toggle_theme(self) -> None:
        dark = self.theme == themes.DARK.name
        self.theme = themes.LIGHT.name if dark else themes.DARK.name

    def action_help(self) -> None:
        from opsconsole.tui.screens.help import RUN_SIGNS, HelpScreen

        active = [a for a in self.screen.active_bindings.values() if not a.binding.system]
        self.push_screen(HelpScreen(active, getattr(self.screen, "SIGNS", RUN_SIGNS)))

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
