"""Whether a process that was written down still runs, and that nothing is taken for it."""

import os
import subprocess
import sys

import pytest

from opsconsole import alive


def test_this_process_is_alive() -> None:
    assert alive.is_alive(alive.me()) is True


def test_one_that_has_ended_is_not() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "from opsconsole import alive; print(alive.me())"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert alive.is_alive(told.stdout.strip()) is False


def test_the_same_pid_started_at_another_time_is_another() -> None:
    pid, _, host = alive.me().replace(":", "@").split("@")
    assert int(pid) == os.getpid()
    assert alive.is_alive(f"{pid}:1@{host}") is False


@pytest.mark.parametrize("process", ["1:1@elsewhere.invalid", "", "12", "x:y@z"])
def test_what_cannot_be_told_from_here(process: str) -> None:
    assert alive.is_alive(process) is None
