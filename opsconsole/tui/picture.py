"""A picture of a recorded run: the application itself, without a terminal, exported as SVG."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from opsconsole.engine.record import Recorder
from opsconsole.errors import UsageError
from opsconsole.model import Entry, RunStarted
from opsconsole.tui.app import ConsoleApp
from opsconsole.tui.messages import State
from opsconsole.tui.session_protocol import Session

if TYPE_CHECKING:
    from opsconsole.store import ItemRecord, RunSummary

_REMOTE_FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_RANDOM_ID = re.compile(r"\bterminal-\d+-")


def save_picture(path: Path, entries: Iterable[Entry], *, size: tuple[int, int] = (120, 36)) -> None:
    """Draw the run that `entries` tell of as SVG at `path`; `size` in columns and rows.

    The same entries give the same bytes. Raises UsageError where they do not begin with a run's start.
    """
    path.write_text(asyncio.run(picture(list(entries), size=size)), encoding="utf-8")


async def picture(entries: list[Entry], *, size: tuple[int, int]) -> str:
    """The SVG of a run, as `save_picture` writes it."""
    with _a_terminal_with_colours():
        app = recorded_app(entries)
    async with app.run_test(size=size) as pilot:
        while not (app.run_screen.state is State.IDLE and app.run_screen.is_complete):
            await pilot.pause()
        before, svg = "", _export(app)
        while svg != before:
            await pilot.pause(0.2)
            before, svg = svg, _export(app)
    return svg


def _export(app: ConsoleApp) -> str:
    """The application's own export, without what is random or fetched from elsewhere in it."""
    svg = _REMOTE_FONTS.sub("", app.export_screenshot(title="opsconsole"))
    svg = _RANDOM_ID.sub("opsconsole-", svg)
    return svg.replace("Fira Code, monospace", "Fira Code, DejaVu Sans Mono, Menlo, Consolas, monospace")


@contextmanager
def _a_terminal_with_colours() -> Iterator[None]:
    """Whatever terminal this runs in, the picture is of one that has colours."""
    before = {name: os.environ.get(name) for name in ("NO_COLOR", "TERM")}
    os.environ.pop("NO_COLOR", None)
    os.environ["TERM"] = "xterm-256color"
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def recorded_app(entries: list[Entry]) -> ConsoleApp:
    """The application over a run that is over already; its clock stands still at the last entry."""
    start = entries[0].event if entries else None
    if not isinstance(start, RunStarted):
        raise UsageError("these entries do not begin with a run's start")
    return ConsoleApp(
        open_session=lambda progress: stored_session(entries),
        environment=start.environment,
        protected=start.protected,
        effects=start.effects,
        kind=start.kind,
        start=False,
        clock=lambda: entries[-1].at,
    )


@asynccontextmanager
async def stored_session(entries: list[Entry]) -> AsyncIterator[Session]:
    """A session over a run that is there already; nothing can be run or recorded in it."""
    records = _OneRun(entries)
    recorder = Recorder(entries[0].run, records)
    yield cast(Session, SimpleNamespace(recorder=recorder, records=records, verification=None))


class _OneRun:
    """Records that hold one run."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries

    def append(self, entry: Entry) -> None:
        raise UsageError("a picture records nothing")

    def entries(self, run: str) -> Iterator[Entry]:
        return iter(self._entries)

    def runs(self, limit: int, environment: str | None = None) -> "list[RunSummary]":
        return []

    def item_history(self, environment: str, item: str, limit: int) -> "list[ItemRecord]":
        return []
