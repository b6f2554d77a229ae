"""A command that acts and is recorded: in lines, with its records, and with what Ctrl-C means to it."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from opsconsole.cli.lines import Output, Reader, tell
from opsconsole.cli.verification import INTERRUPTED
from opsconsole.engine.record import Recorder
from opsconsole.errors import EffectRefused
from opsconsole.reports.wording import left_behind
from opsconsole.runview import RunView
from opsconsole.store import Records, new_run_id, open_records


@dataclass
class Stage:
    """Where a command acts: its records, and whoever shows what it does; `begun` are its runs so far."""

    records: Records
    show: Reader
    begun: list[str] = field(default_factory=list)

    def new_run(self) -> Recorder:
        """A recorder for a new run, whose events are shown."""
        recorder = Recorder(new_run_id(), self.records)
        recorder.add_reader(self.show)
        self.begun.append(recorder.run)
        return recorder


def act(path: Path | None, as_json: bool, work: Callable[[Stage], Awaitable[int]]) -> int:
    """Do the work and return its exit code. Ctrl-C, SIGTERM and a closed terminal end it and have it take
    back what it did; a second one leaves at once, and says what is left.

    Raises UsageError where standard output could not be written, after the work is over and recorded.
    """
    records = open_records(path)
    output = Output(sys.stdout)
    try:
        with _printing(records, as_json, output) as show:
            stage = Stage(records, show)
            code = asyncio.run(_interruptible(stage, work))
        output.see_written(stage.begun)
    finally:
        records.close()
    return code


def consented(environment: str, protected: bool, allowed: str | None) -> None:
    """Raise EffectRefused for a protected environment that was not named twice, or for another's name."""
    if allowed is not None and allowed != environment:
        raise EffectRefused(
            f"--allow-effects names {allowed!r}, and the environment is {environment!r}",
            hint="name the same environment twice: that is the consent",
        )
    if protected and allowed is None:
        raise EffectRefused(
            f"the environment {environment} is protected, and this changes something",
            hint=f"--allow-effects {environment} allows it",
        )


async def _interruptible(stage: Stage, work: Callable[[Stage], Awaitable[int]]) -> int:
    task = asyncio.create_task(_working(stage, work))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, _interrupt, stage, task)
    try:
        return await task
    except asyncio.CancelledError:
        return INTERRUPTED


async def _working(stage: Stage, work: Callable[[Stage], Awaitable[int]]) -> int:
    return await work(stage)


def _interrupt(stage: Stage, task: "asyncio.Task[int]") -> None:
    if not task.cancelling():
        tell("interrupted: taking back what was done; once more to leave at once")
        task.cancel()
        return
    left = [line for run in stage.begun for line in left_behind(RunView.of(stage.records.entries(run)))]
    for line in [*left, "opsconsole cleanup takes it back"] if left else []:
        tell(line)
    os._exit(INTERRUPTED)  # the loop would wait for what is taken back


@contextmanager
def _printing(records: Records, as_json: bool, output: Output) -> Iterator[Reader]:
    from opsconsole.reports.json import JsonReport
    from opsconsole.reports.text import TextReport

    if as_json:
        yield JsonReport(output)  # type: ignore[arg-type]
        return
    yield TextReport(output, hash_of=records.hash_of)  # type: ignore[arg-type]
