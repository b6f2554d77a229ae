"""Processes of the lab: they become ready, they end, and none is ever left behind or mistaken for another."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsconsole.errors import LabError
from opsconsole.lab import processes, relocate
from opsconsole.lab.processes import (
    Process,
    end,
    free_ports,
    is_running,
    listens,
    spawn,
    wait_ready,
)
from opsconsole.lab.servers import Servers

STUBBORN = ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def sleeper(log: Path) -> Iterator[Process]:
    process = spawn(["sleep", "60"], log=log, die_with_parent=True)
    yield process
    process.stop()


def gone(pid: int, start_ticks: int, within_seconds: float = 60) -> bool:
    deadline = time.monotonic() + within_seconds
    while is_running(pid, start_ticks) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_running(pid, start_ticks)


def run_parent(log: Path, *, die_with_parent: bool, last_act: str) -> processes.Identity:
    """A parent that spawns `sleep`, tells its identity, and ends by `last_act`."""
    script = f"""
import os, signal
from pathlib import Path
from opsconsole.lab.processes import spawn
child = spawn(["sleep", "60"], log=Path({str(log)!r}), die_with_parent={die_with_parent})
print(*child.identity, flush=True)
{last_act}
"""
    parent = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    pid, start_ticks = map(int, parent.stdout.split())
    return processes.Identity(pid, start_ticks)


@pytest.mark.parametrize("last_act", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(0)", "pass"])
def test_a_foreground_process_ends_with_its_parent(log: Path, last_act: str) -> None:
    assert gone(*run_parent(log, die_with_parent=True, last_act=last_act))


def test_a_kept_process_outlives_its_parent_until_it_is_ended(log: Path) -> None:
    child = run_parent(log, die_with_parent=False, last_act="os.kill(os.getpid(), signal.SIGKILL)")
    assert is_running(*child)
    assert os.getsid(child.pid) == child.pid, "a terminal that closes would end it"
    assert end([child]) == [child]
    assert not is_running(*child)
    assert end([child]) == []


def test_a_foreground_process_outlives_the_thread_that_started_it(log: Path) -> None:
    started: list[Process] = []
    thread = threading.Thread(
        target=lambda: started.append(spawn(["sleep", "60"], log=log, die_with_parent=True))
    )
    thread.start()
    thread.join()
    assert not gone(*started[0].identity, within_seconds=0.2)
    started[0].stop()
    assert started[0].exit_code == -signal.SIGTERM


def test_the_guard_goes_with_the_last_process(tmp_path: Path) -> None:
    """In a process of its own: one that has a lab as well keeps its guard."""
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from opsconsole.lab.processes import identity, is_running, spawn\n"
        "sleeper = spawn(['sleep', '60'], log=Path(sys.argv[1]), die_with_parent=True)\n"
        "guard = identity(os.getpgid(sleeper.pid))\n"
        "apart = guard.pid not in (sleeper.pid, os.getpgid(0))\n"
        "sleeper.stop()\n"
        "print(apart, is_running(*guard))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "log"], capture_output=True, text=True, timeout=120
    )
    assert run.stdout.split() == ["True", "False"], run.stderr


def test_ctrl_c_in_the_terminal_reaches_only_the_parent(sleeper: Process) -> None:
    assert os.getpgid(sleeper.pid) != os.getpgid(0)


def test_a_recycled_pid_is_left_alone(sleeper: Process) -> None:
    pid, start_ticks = sleeper.identity
    assert end([(pid, start_ticks - 1)]) == []
    assert sleeper.exit_code is None


def test_a_zombie_does_not_run(log: Path) -> None:
    process = spawn(["true"], log=log, die_with_parent=False)
    assert gone(*process.identity)
    process.stop()
    assert process.exit_code == 0


@pytest.mark.parametrize("how", ["stop", "end"])
def test_what_does_not_heed_sigterm_is_killed(log: Path, how: str) -> None:
    process = spawn(STUBBORN, log=log, die_with_parent=True)
    deadline = time.monotonic() + 60
    while "deaf" not in process.last_words():
        assert time.monotonic() < deadline, "it never became deaf"
        time.sleep(0.01)
    if how == "stop":
        process.stop(within_seconds=0.1)
    else:
        end([process.identity], within_seconds=0.1)
        process.stop()
    assert process.exit_code == -signal.SIGKILL


def test_a_program_that_is_not_there(log: Path) -> None:
    with pytest.raises(LabError, match=r"/no/such/program: cannot be started: No such file"):
        spawn(["/no/such/program"], log=log, die_with_parent=True)


def test_held_ports_are_handed_to_nobody_else() -> None:
    with free_ports(3) as ports:
        assert len(set(ports)) == 3
        for port in ports:
            with socket.socket() as other, pytest.raises(OSError, match="in use"):
                other.bind(("127.0.0.1", port))
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports[0]))


def prometheus(servers: Servers, folder: Path, port: int, config: str = "{}") -> Process:
    (folder / "prometheus.yml").write_text(config)
    return spawn(
        [
            servers.prometheus,
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        log=folder / "log",
        die_with_parent=True,
    )


@pytest.mark.servers
async def test_the_real_servers_become_ready_on_held_ports(servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text("{route: {receiver: none}, receivers: [{name: none}]}")
    with free_ports(2) as (first, second):
        started = [
            prometheus(servers, tmp_path, first),
            spawn(
                [
                    *relocate.command(servers.alertmanager),
                    f"--config.file={tmp_path}/alertmanager.yml",
                    f"--storage.path={tmp_path}/alerts",
                    f"--web.listen-address=127.0.0.1:{second}",
                    "--cluster.listen-address=",
                ],
                log=tmp_path / "log2",
                die_with_parent=True,
            ),
        ]
        try:
            await asyncio.gather(
                *(
                    wait_ready(f"http://127.0.0.1:{port}/-/ready", process)
                    for port, process in zip((first, second), started, strict=True)
                )
            )
            assert [listens(each.pid, first) for each in started] == [True, False]
        finally:
            processes.stop(started)
    assert [each.exit_code for each in started] == [0, 0]


@pytest.mark.servers
async def test_a_server_that_ends_early_is_reported_with_its_last_words(
    servers: Servers, tmp_path: Path
) -> None:
    with free_ports(1) as (port,):
        process = prometheus(servers, tmp_path, port, config="nonsense: true")
        with pytest.raises(LabError, match=r"ended early, exit code [12](?s:.)*field nonsense not found"):
            await wait_ready(f"http://127.0.0.1:{port}/-/ready", process)
        process.stop()


async def _stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    writer.close()


@pytest.mark.servers
async def test_a_stranger_on_the_port_is_not_taken_for_the_server(servers: Servers, tmp_path: Path) -> None:
    async with await asyncio.start_server(_stranger, "127.0.0.1", 0) as stranger:
        port = stranger.sockets[0].getsockname()[1]
        process = prometheus(servers, tmp_path, port)
        with pytest.raises(LabError, match="address already in use"):
            await wait_ready(f"http://127.0.0.1:{port}/-/ready", process)
        process.stop()


async def test_a_stranger_on_the_port_of_a_silent_process_is_named(sleeper: Process) -> None:
    async with await asyncio.start_server(_stranger, "127.0.0.1", 0) as stranger:
        url = f"http://127.0.0.1:{stranger.sockets[0].getsockname()[1]}/"
        with pytest.raises(LabError, match="another process listens there"):
            await wait_ready(url, sleeper, within_seconds=0.1)


async def test_waiting_is_bounded(sleeper: Process) -> None:
    with free_ports(1) as (port,), pytest.raises(LabError, match="not ready on port"):
        await wait_ready(f"http://127.0.0.1:{port}/", sleeper, within_seconds=0.1)
