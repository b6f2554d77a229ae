"""Whole processes, timed from outside, in turn: so a comparison holds when the machine's speed drifts."""

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Timed:
    """What the counted runs of one command took, in seconds; `codes` are their exit codes."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    codes: set[int] = field(default_factory=set)

    @property
    def median(self) -> float:
        return statistics.median(self.wall)


def in_turn(
    commands: Mapping[str, Sequence[str]], *, runs: int = 7, env: Mapping[str, str] | None = None
) -> dict[str, Timed]:
    """Run the commands A B C A B C ... one uncounted round first, and return their times."""
    timed = {name: Timed() for name in commands}
    for counted in range(-1, runs):
        for name, argv in commands.items():
            wall, cpu, code = _once(argv, env)
            if counted >= 0:
                timed[name].wall.append(wall)
                timed[name].cpu.append(cpu)
            timed[name].codes.add(code)
    return timed


def table(title: str, timed: Mapping[str, Timed], *, beside: str) -> str:
    """One line a command: median, least and most in milliseconds, and the ratio to the command `beside`."""
    base = timed[beside].median
    lines = [f"{title}  (milliseconds, whole process; ratio to {beside})"]
    for name, times in timed.items():
        milliseconds = [f"{1000 * value:7.0f}" for value in (times.median, min(times.wall), max(times.wall))]
        note = "" if times.codes <= {0} else f"   exit codes {sorted(times.codes)}"
        cpu = f"{1000 * statistics.median(times.cpu):6.0f} cpu"
        lines.append(f"  {name:32} {' '.join(milliseconds)} {cpu}  x{times.median / base:.2f}{note}")
    return "\n".join(lines)


def _once(argv: Sequence[str], env: Mapping[str, str] | None) -> tuple[float, float, int]:
    began = time.perf_counter()
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, **(env or {})},
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    return wall, usage.ru_utime + usage.ru_stime, process.returncode
