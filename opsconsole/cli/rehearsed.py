"""A rehearsal or a back-test in lines: on standard output the result, beside it what goes on."""

import asyncio
import json
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable

from opsconsole.cli.lines import Output, tell
from opsconsole.cli.rehearsing import Performance, setting
from opsconsole.cli.verification import INTERRUPTED
from opsconsole.redaction import redact
from opsconsole.rehearse.backtest import BackTests
from opsconsole.reports.json import escaped
from opsconsole.reports.rehearsal import render, timeline
from opsconsole.reports.rehearsal.wording import summary

_COLUMNS = 120
"""For a back-test that no terminal shows."""

Write = Callable[[str], None]


def rehearsal(performance: Performance) -> int:
    """Rehearse, print a line for each verdict or one JSON document, and return the exit code."""

    async def work(write: Write) -> int:
        done = await performance.rehearsal(_progress, lambda verdict: None)
        write(render("json" if performance.wish.as_json else "plain", done, setting()))
        _progress(summary(done))
        return performance.exit_code(done)

    return _worked(performance, work)


def backtest(performance: Performance) -> int:
    """Back-test, print the timeline or one JSON document, and return the exit code."""

    async def work(write: Write) -> int:
        done = await performance.backtest(_progress)
        write(redact(_shown(done, performance.wish.as_json)))
        return performance.backtest_exit_code(done)

    return _worked(performance, work)


def _shown(done: BackTests, as_json: bool) -> str:
    if as_json:
        return escaped(json.dumps(timeline.as_json(done), indent=2)) + "\n"
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else _COLUMNS
    ascii = "utf" not in (sys.stdout.encoding or "").lower()
    return "".join(f"{line}\n" for line in timeline.lines(done, columns, ascii=ascii))


def _worked(performance: Performance, work: Callable[[Write], Awaitable[int]]) -> int:
    """Do the work; Ctrl-C, SIGTERM and a closed terminal end it, and what it has started.

    Raises UsageError where standard output could not be written.
    """
    output = Output(sys.stdout)

    def write(text: str) -> None:
        encoding = sys.stdout.encoding or "utf-8"
        output.write(text.encode(encoding, "backslashreplace").decode(encoding))
        output.flush()

    async def interruptible() -> int:
        task = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if task is not None:
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await work(write)

    for error in performance.files.wrong:
        _progress(f"left out: {error}")
    for note in performance.files.notes:
        _progress(note)
    try:
        code = asyncio.run(interruptible())
    except asyncio.CancelledError:
        _progress("interrupted")
        return INTERRUPTED
    output.see_written([])
    return code


def _progress(text: str) -> None:
    tell(redact(text))
