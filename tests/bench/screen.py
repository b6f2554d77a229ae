"""The screen's figures: first paint on a pty, and a warm run in one process."""

import asyncio
import os
import pty
import select
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

MINIMAL = """
from textual.app import App
from textual.widgets import Footer, Header
class Minimal(App):
    def compose(self):
        yield Header()
        yield Footer()
Minimal().run()
"""
_ROUNDS = 5
_PAINTED = b"\x1b[?2026l"
"""The end of a synchronised update: what Textual writes when a frame is on the screen."""


def first_paint() -> str:
    """From the start of the process on a pty to its first frame, and to the one with its footer."""
    opsconsole = [str(Path(sys.executable).with_name("opsconsole")), "verify", "--env", "lab"]
    minimal = [sys.executable, "-c", MINIMAL]
    return "\n".join(
        [
            "first paint on a terminal  (milliseconds, median of five, in turn)",
            _compared("first frame", (minimal, b"Minimal"), (opsconsole, b"opsconsole")),
            _compared("with its footer", (minimal, b"palette"), (opsconsole, b"Quit")),
        ]
    )


def _compared(what: str, least: tuple[list[str], bytes], ours: tuple[list[str], bytes]) -> str:
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(_ROUNDS):
        for times, (argv, shows) in zip(taken, (least, ours), strict=True):
            times.append(_painted(argv, shows))
    base, time_taken = map(statistics.median, taken)
    return (
        f"  {what:18} minimal application {1000 * base:5.0f}   opsconsole {1000 * time_taken:5.0f}"
        f"   x{time_taken / base:.2f}"
    )


def _painted(argv: list[str], shows: bytes) -> float:
    """Seconds until a frame that shows these words is complete."""
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="36")
        os.execv(argv[0], argv)
    seen = b""
    try:
        while select.select([terminal], [], [], 20)[0]:
            piece = os.read(terminal, 65_536)
            if b"\x1b[?2026$p" in piece:  # it asks whether the terminal can draw whole frames: this one can
                os.write(terminal, b"\x1b[?2026;2$y")
            seen += piece
            if shows in seen and _PAINTED in seen[seen.index(shows) :]:
                return time.perf_counter() - began
        return float("nan")
    finally:
        _leave(pid, terminal)


def _leave(pid: int, terminal: int) -> None:
    """Ctrl-C and Ctrl-Q, and wait until it is gone; its output has to be read, or it cannot go."""
    deadline = time.perf_counter() + 15
    os.write(terminal, b"\x03\x11")
    while time.perf_counter() < deadline:
        try:
            if select.select([terminal], [], [], 0.2)[0]:
                os.read(terminal, 65_536)
        except OSError:
            pass
        if os.waitpid(pid, os.WNOHANG)[0]:
            break
        os.write(terminal, b"\x03\x11")
    os.close(terminal)


def warm_in_the_screen(
    config: Path, name: str, items: Sequence[str], records: Path, trips_seconds: float
) -> str:
    """What `r` takes in an open screen: the same process runs the same items again."""
    from opsconsole import session
    from opsconsole.config import load_environment
    from opsconsole.store import open_records

    plan = session.plan(load_environment(name, config), items)
    kept = open_records(records)

    async def run() -> list[float]:
        taken = []
        async with session.open_session(plan, kept, effects=False) as opened:
            await opened.verification.run()
            for _ in range(_ROUNDS):
                began = time.perf_counter()
                await opened.verification.run(list(items))
                taken.append(time.perf_counter() - began)
        return taken

    median = statistics.median(asyncio.run(run()))
    kept.close()
    return (
        f"warm, in an open screen, 50 ms added: {1000 * median:.0f} ms, "
        f"x{median / trips_seconds:.2f} of two round trips"
    )
