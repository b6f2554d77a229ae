"""What `lab practise` does: break a lab, have somebody look for what it was, and have it whole again."""

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from opsconsole.cli.lines import Output, tell
from opsconsole.cli.practice_talk import Talk
from opsconsole.cli.verification import INTERRUPTED
from opsconsole.engine.record import Recorder
from opsconsole.errors import LabError, UsageError
from opsconsole.lab import breaking, practice, stack, state
from opsconsole.lab.faults import Fault
from opsconsole.lab.state import LabState
from opsconsole.store import new_run_id, open_records

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SEEDS = 10_000


def perform(seed: int | None, path: Path | None) -> int:
    """Practise once, and return the exit code. Ctrl-C, SIGTERM and a closed terminal end it, and leave no lab
    broken. Raises LabError where there is no lab to be had, or somebody else has broken it or taken it away.
    """
    if sys.stdin is None:
        raise UsageError("there is no standard input to answer on", hint="call it in a terminal")
    seed = secrets.randbelow(SEEDS) if seed is None else seed
    faults = practice.possible()
    output = Output(sys.stdout)
    with closing(open_records(path)) as records, _ended_by(_interrupt):
        recorder = Recorder(new_run_id(), records)
        talk = Talk(seed, practice.drawn(seed, faults), faults, recorder, output, path)
        try:
            with _broken(talk.fault) as lab:
                code = talk.held(lab, records)
        except KeyboardInterrupt:
            talk.say(f"\nInterrupted. The same again: opsconsole lab practise --seed {seed}")
            code = INTERRUPTED
        if talk.begun:
            talk.say(f"run {recorder.run}: opsconsole runs show {recorder.run}{talk.records_option}")
    with suppress(UsageError) if code == INTERRUPTED else nullcontext():  # the terminal may have gone
        output.see_written([recorder.run])
    return code


@contextmanager
def _broken(fault: Fault) -> Iterator[LabState]:
    """The lab that is kept, else one for as long as this takes, broken; whole again, or gone, at the end."""
    with state.alone():
        lab = _whole()
        try:
            tell("breaking it, which takes some seconds")
            lab = breaking.break_it(lab, fault, hidden=True)
        except BaseException:
            with _ended_by(_one_moment):
                _over(lab)
            raise
    try:
        yield lab
    finally:
        with _ended_by(_one_moment), state.alone():
            _over(lab)


def _whole() -> LabState:
    lab = state.kept()
    if lab is None:
        return _awaited(stack.start("practice", on_progress=tell))
    tell(f"using the lab that is kept, in {lab.folder}")
    if not lab.whole and (lab.practised_by or not lab.fault):
        return _awaited(breaking.mend(lab, tell))
    return lab


def _awaited(work: Coroutine[Any, Any, LabState]) -> LabState:
    """What it comes to. Raises KeyboardInterrupt after it was ended by a signal and has cleared up."""

    async def ended_in_order() -> LabState:
        task = asyncio.current_task()
        for number in ENDS:
            asyncio.get_running_loop().add_signal_handler(number, lambda: task and task.cancel())
        return await work

    try:
        with _ended_by(_interrupt):  # the loop leaves no handlers behind
            return asyncio.run(ended_in_order())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _over(lab: LabState) -> None:
    """The lab as it was before: whole, or not there. One that somebody else has mended meanwhile is left."""
    try:
        lab = state.load(lab.folder)
    except LabError:
        return
    if lab.owner == "practice" and lab.starter.pid == os.getpid():
        stack.stop(lab)
        tell("the lab of the practice is down")
    elif lab.practised_by and lab.practised_by.pid == os.getpid():
        try:
            asyncio.run(stack.renew(lab))
            tell("the lab is whole again")
        except LabError as error:
            tell(f"the lab could not be mended, and is down: {error}")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _one_moment(number: int, frame: FrameType | None) -> None:
    tell("one moment: the lab is put back as it was")


@contextmanager
def _ended_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Whatever ends a command in a terminal is handled so."""
    before = {number: signal.signal(number, handler) for number in ENDS}
    try:
        yield
    finally:
        for number, was in before.items():
            with suppress(TypeError):  # not set from Python
                signal.signal(number, was)
