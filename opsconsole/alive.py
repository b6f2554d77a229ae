"""Which process did something, and whether that very one still runs, by /proc (proc(5)).

A pid is used again after a while: the time of its start, in clock ticks since boot, tells two apart.
"""

import os
import re
import socket
from pathlib import Path
from typing import NamedTuple

_WRITTEN = re.compile(r"(?P<pid>\d+):(?P<ticks>\d+)@(?P<host>.+)")


class Identity(NamedTuple):
    """What tells a process from a later one with the same pid: its start, in clock ticks since boot."""

    pid: int
    start_ticks: int


class Stat(NamedTuple):
    """What /proc tells of a process; `state` Z or X: it does not run any more."""

    state: str
    start_ticks: int


def stat(pid: int) -> Stat | None:
    """Fields 3 and 22 of /proc/<pid>/stat, see proc_pid_stat(5); the name before them may hold any sign."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return Stat(fields[0], int(fields[19]))


def identity(pid: int) -> Identity | None:
    """Which process has this pid now; None where none runs (a zombie does not run)."""
    seen = stat(pid)
    return Identity(pid, seen.start_ticks) if seen and seen.state not in "ZX" else None


def is_running(pid: int, start_ticks: int) -> bool:
    """Whether this very process still runs."""
    return identity(pid) == (pid, start_ticks)


def me() -> str:
    """This process, "pid:start_ticks@host", as the undo journal names it."""
    seen = stat(os.getpid())
    return f"{os.getpid()}:{seen.start_ticks if seen else 0}@{socket.gethostname()}"


def is_alive(process: str) -> bool | None:
    """Whether a process written as by `me` still runs; None where that cannot be told from here: another
    host, or no such form."""
    written = _WRITTEN.fullmatch(process)
    if written is None or written["host"] != socket.gethostname():
        return None
    return is_running(int(written["pid"]), int(written["ticks"]))
