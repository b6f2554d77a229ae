"""A verification in lines: text or JSON on standard output, what goes on beside it on standard error."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import click

from opsconsole.cli.job import Job
from opsconsole.cli.verification import INTERRUPTED
from opsconsole.errors import UsageError
from opsconsole.model import Entry

Reader = Callable[[Entry], None]


def verify(job: Job) -> int:
    """Work through the job and return its exit code; a reader that goes away does not end the run.

    Raises UsageError where standard output could not be written, after the run is over and recorded.
    """
    output = Output(sys.stdout)
    code = asyncio.run(_work(job, output))
    output.see_written(job.begun)
    return code


class Output:
    """A stream that may fail while the run goes on; `failure` is what it failed with."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    def write(self, text: str) -> int:
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def see_written(self, runs: list[str]) -> None:
        """After these `runs`: raises UsageError where it failed, unless its reader only went away."""
        if self.failure is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())  # Python's rest goes there
            if not isinstance(self.failure, BrokenPipeError):
                raise UsageError(
                    f"standard output cannot be written: {self.failure.strerror}",
                    hint=f"the run is in the records: opsconsole runs show {' '.join(runs)}" if runs else "",
                )

    def _try(self, action: Callable[[], object]) -> None:
        if self.failure is None:
            try:
                action()
            except OSError as error:
                self.failure = error


async def _work(job: Job, output: Output) -> int:
    """Ctrl-C, SIGTERM and a closed terminal end the run, clean up and say how to go on."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, _cancel, asyncio.current_task())
    try:
        with _printing(job, output) as show:
            async with job.open(tell) as session:
                for entry in job.records.entries(session.recorder.run):
                    show(entry)
                session.recorder.add_reader(show)
                code = await session.verification.run()
    except asyncio.CancelledError:
        for run in job.begun:
            tell(f"interrupted; go on with: opsconsole verify --env {job.wish.environment} --resume {run}")
        return INTERRUPTED
    job.write_reports()
    return code


def _cancel(task: "asyncio.Task[int] | None") -> None:
    if task is not None:
        task.cancel()


@contextmanager
def _printing(job: Job, output: Any) -> Iterator[Reader]:
    """A reader that prints to `output`; what it still holds of a run that began is printed at the end."""
    if job.wish.as_json:
        from opsconsole.reports.json import JsonReport

        yield JsonReport(output)
        return
    from opsconsole.reports.text import TextReport

    report = TextReport(output, hash_of=job.records.hash_of)
    try:
        yield report
    finally:
        if job.begun:
            report.close()


def tell(text: str) -> None:
    """Say on standard error what goes on; nobody need be there to read it."""
    with suppress(OSError):
        click.echo(f"· {text}", err=True)
