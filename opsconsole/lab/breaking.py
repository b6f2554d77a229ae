"""A lab that is broken on purpose, and mended again."""

import os
import time
from collections.abc import Callable
from dataclasses import replace

from opsconsole.errors import LabError
from opsconsole.lab import processes, stack, state
from opsconsole.lab.faults import Fault
from opsconsole.lab.state import LabState, Member
from opsconsole.lab.workshop import Workshop

MEND = "`opsconsole lab mend` mends it"


def kept(*, drill: bool) -> LabState:
    """The lab, or drill lab, that is kept. Raises LabError where none is."""
    if lab := state.kept(drill=drill):
        return lab
    kind, option = ("drill lab", " --drill") if drill else ("lab", "")
    raise LabError(f"no {kind} is up to be broken", hint=f"`opsconsole lab up{option}` starts one")


def break_it(lab: LabState, fault: Fault, *, hidden: bool = False) -> LabState:
    """Break a lab that is whole, as soon as it is steady; returns it when the fault has taken hold.

    `hidden`: this process practises on it, and nobody is told which fault it is. What it is broken with is
    written down first, so that it can be mended whatever happens.
    Raises LabError where the lab is broken already, or cannot be broken so.
    """
    _see_whole(lab)
    me = Member("practice", *(processes.identity(os.getpid()) or (os.getpid(), 0))) if hidden else None
    lab = replace(lab, fault=fault.name, broken_at=time.time(), practised_by=me)
    lab.save()
    workshop = Workshop(lab)
    try:
        workshop.steady()
        fault.breaks(workshop)
    except LabError as error:
        raise LabError(error.message, where=error.where, hint=f"the lab is broken in part; {MEND}") from error
    return state.load(lab.folder)


async def mend(lab: LabState, on_progress: Callable[[str], None] | None = None) -> LabState:
    """Start a lab again as it was at first, on the same addresses. Raises LabError where somebody practises
    on it, and where it does not start; then nothing of it is left."""
    see_nobody_practises(lab, "the lab is not mended")
    return await stack.renew(lab, on_progress)


def see_nobody_practises(lab: LabState, refused: str) -> None:
    """Raise LabError with these words where somebody looks for what the lab is broken with."""
    if lab.practised_by and lab.in_practice:
        pid = lab.practised_by.pid
        raise LabError(
            f"{refused}: somebody practises on it, in process {pid}",
            hint=f"to end that: `give up` there, or Ctrl-C; without its terminal: kill {pid}",
        )


def _see_whole(lab: LabState) -> None:
    see_nobody_practises(lab, "the lab is broken already")
    if lab.fault:
        what = "for a practice that was cut off" if lab.practised_by else f"with {lab.fault}"
        raise LabError(f"the lab is broken already, {what}", hint=MEND)
    if not lab.whole:
        ended = ", ".join(member.name for member in lab.members if not member.running)
        raise LabError(f"a part of the lab has ended: {ended}", hint=MEND)
