"""Child processes that cannot leak: they end with the lab, even when what started it is killed.

Processes of a foreground lab share one process group, led by a guard: a shell that reads from a pipe whose
other end only this process has. When this process ends, however it ends, the kernel closes the pipe and the
guard kills the group. That holds from any thread (unlike `PR_SET_PDEATHSIG`, see prctl(2)), and from the
first moment: a child joins the group before its program starts. Processes of a kept lab have sessions of
their own and no guard; what is written down of them is pid and start time, so that no recycled pid is ever
taken for one of them.
"""

import asyncio
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from opsconsole.alive import Identity as Identity
from opsconsole.alive import identity as identity
from opsconsole.alive import is_running as is_running
from opsconsole.alive import stat
from opsconsole.errors import LabError

STOP_SECONDS = 5.0
"""From SIGTERM to SIGKILL."""

_POLL_SECONDS = 0.01
_LOG_LINES = 8


class Process:
    """A child of this process; everything it prints goes to `log`."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._popen = popen
        seen = stat(popen.pid)
        self.identity = Identity(popen.pid, seen.start_ticks if seen else 0)

    @property
    def pid(self) -> int:
        return self.identity.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._popen.poll()

    def stop(self, *, within_seconds: float = STOP_SECONDS) -> None:
        """End it and wait for its end. It may have ended before."""
        stop([self], within_seconds=within_seconds)

    def last_words(self, lines: int = _LOG_LINES) -> str:
        """The last lines of its log."""
        with suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""


def spawn(
    argv: Sequence[str | Path],
    *,
    log: Path,
    die_with_parent: bool,
    name: str = "",
    env: Mapping[str, str] | None = None,
) -> Process:
    """Start a program with no input and its output in `log`.

    `die_with_parent`: it ends with this process at the latest; without, it outlives it. `env` None: ours.
    Raises `LabError` where the program cannot be started.
    """
    with log.open("ab") as output:
        try:
            if die_with_parent:
                popen = _guard.popen(argv, output.fileno(), env)
            else:
                popen = _popen(argv, output.fileno(), env, start_new_session=True)
        except OSError as no:
            raise LabError(f"cannot be started: {no.strerror}", where=str(argv[0])) from no
    return Process(name or Path(argv[0]).name, popen, log)


def stop(processes: Iterable[Process], *, within_seconds: float = STOP_SECONDS) -> None:
    """End children together: SIGTERM to all, SIGKILL to those still there after `within_seconds`."""
    children = [process._popen for process in processes]
    for child in children:
        child.terminate()
    deadline = time.monotonic() + within_seconds
    for child in children:
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    _guard.leave(child.pid for child in children)


def end(identities: Iterable[tuple[int, int]], *, within_seconds: float = STOP_SECONDS) -> list[Identity]:
    """End processes that another run of opsconsole started, by pid and start time; returns those that were
    there.

    Raises `LabError` if one is still there after SIGKILL.
    """
    running = [Identity(*each) for each in identities if is_running(*each)]
    for number, patience_seconds in ((signal.SIGTERM, within_seconds), (signal.SIGKILL, STOP_SECONDS)):
        for one in (left := [each for each in running if is_running(*each)]):
            with suppress(ProcessLookupError):
                os.kill(one.pid, number)
        deadline = time.monotonic() + patience_seconds
        while any(is_running(*each) for each in left) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    if stuck := [each.pid for each in running if is_running(*each)]:
        raise LabError(f"process {', '.join(map(str, stuck))} does not end, not even by SIGKILL")
    return running


@contextmanager
def free_ports(count: int) -> Iterator[list[int]]:
    """Free ports of 127.0.0.1, kept from everybody else until the block ends.

    They stay bound here without listening, so the system hands them to nobody who asks for any port, while
    a server that names one and sets SO_REUSEADDR (Go's and asyncio's do) may listen on it: start it in the
    block.
    """
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind(("127.0.0.1", 0))
        yield [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


async def wait_ready(url: str, process: Process, *, within_seconds: float = 20.0) -> None:
    """Wait until `url` (http, loopback) answers 200 and it is `process` that listens there.

    Raises `LabError` with the end of the log when it ends early or is not ready within `within_seconds`.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    deadline = time.monotonic() + within_seconds
    while True:
        answered = await _answers_ok(host, port, parts.path or "/")
        if process.exit_code is not None:
            raise _failed(process, f"{process.name} ended early, exit code {process.exit_code}")
        if answered and listens(process.pid, port):
            return
        if time.monotonic() > deadline:
            other = "; another process listens there" if answered else ""
            raise _failed(
                process, f"{process.name} is not ready on port {port} after {within_seconds:g} s{other}"
            )
        await asyncio.sleep(_POLL_SECONDS)


def listens(pid: int, port: int) -> bool:
    """Whether it is this process that listens on the TCP port, by /proc (proc(5))."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                fields = row.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if str(descriptor.readlink()) in inodes:
                    return True
    return False


async def _answers_ok(host: str, port: int, path: str) -> bool:
    writer = None
    try:
        async with asyncio.timeout(2.0):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
            status = await reader.readline()
            return status.split()[1:2] == [b"200"]
    except (OSError, ValueError, TimeoutError):
        return False
    finally:
        if writer:
            writer.close()


def _failed(process: Process, message: str) -> LabError:
    words = process.last_words() or "(its log is empty)"
    return LabError(message, where=str(process.log), hint=words.replace("\n", "\n  "))


def _popen(
    argv: Sequence[str | Path], output: int, env: Mapping[str, str] | None, *,
    start_new_session: bool = False, process_group: int | None = None,
) -> subprocess.Popen[bytes]:  # fmt: skip
    return subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=env,
        start_new_session=start_new_session, process_group=process_group,
    )  # fmt: skip


class _Guard:
    """The leader of the foreground processes' group; there is one while there is such a process."""

    _SCRIPT = "trap '' HUP INT TERM; read -r _; kill -KILL 0"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leader: subprocess.Popen[bytes] | None = None
        self._members: set[int] = set()

    def popen(
        self, argv: Sequence[str | Path], output: int, env: Mapping[str, str] | None
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._leader is None or self._leader.poll() is not None:
                self._leader = subprocess.Popen(
                    ["/bin/sh", "-c", self._SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL, process_group=0,
                )  # fmt: skip
            try:
                popen = _popen(argv, output, env, process_group=self._leader.pid)
                self._members.add(popen.pid)
                return popen
            finally:
                self._dismiss_if_idle()

    def leave(self, pids: Iterable[int]) -> None:
        with self._lock:
            self._members.difference_update(pids)
            self._dismiss_if_idle()

    def _dismiss_if_idle(self) -> None:
        if self._leader and not self._members:
            self._leader.communicate()
            self._leader = None


_guard = _Guard()
