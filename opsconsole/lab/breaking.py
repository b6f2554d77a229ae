"""A lab that is broken on purpose, and mended again."""

import time
from dataclasses import replace

from opsconsole.errors import LabError
from opsconsole.lab import state
from opsconsole.lab.faults import Fault
from opsconsole.lab.state import LabState
from opsconsole.lab.workshop import Workshop


def kept(*, drill: bool) -> LabState:
    """The lab, or drill lab, that is kept. Raises LabError where none is."""
    if lab := state.kept(drill=drill):
        return lab
    kind, option = ("drill lab", " --drill") if drill else ("lab", "")
    raise LabError(f"no {kind} is up to be broken", hint=f"`opsconsole lab up{option}` starts one")


def break_it(lab: LabState, fault: Fault, *, hidden: bool = False) -> LabState:
    """Break a lab that is whole, as soon as it is steady; returns it when the fault has taken hold.

    `hidden`: nobody is told which fault it is. What it is broken with is written down first, so that it can
    be mended whatever happens.
    Raises LabError where the lab is broken already, or cannot be broken so.
    """
    if lab.fault:
        what = "by practice" if lab.fault_hidden else f"with {lab.fault}"
        raise LabError(f"the lab is broken already, {what}", hint="`opsconsole lab mend` mends it")
    lab = replace(lab, fault=fault.name, fault_hidden=hidden, broken_at=time.time())
    lab.save()
    workshop = Workshop(lab)
    workshop.steady()
    fault.breaks(workshop)
    return state.load(lab.folder)
