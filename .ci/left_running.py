"""Names every process that this CI run has left running, by the mark in its environment; exits 1 if any."""

import os
import sys
from pathlib import Path

MARK = f"OPSCONSOLE_CI_RUN={os.environ['OPSCONSOLE_CI_RUN']}".encode()


def ancestors(pid: int) -> set[int]:
    """The process and those above it: the CI run itself."""
    found = set()
    while pid > 1:
        found.add(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return found


def marked() -> list[tuple[int, str]]:
    """(pid, command line) of every process that carries the mark and is not the CI run itself."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if MARK in (folder / "environ").read_bytes().split(b"\0") and int(folder.name) not in ancestors(
                os.getpid()
            ):
                found.append(
                    (int(folder.name), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
                )
        except OSError:
            continue
    return found


for pid, command in (left := marked()):
    print(f"left running: {pid} {command}", file=sys.stderr)
sys.exit(1 if left else 0)
