"""Lines on standard output: whoever reads them may go away, and nothing is lost."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsconsole.runview import RunView
from opsconsole.store import open_records

VERIFY = [sys.executable, "-m", "opsconsole", "verify", "--env", "here", "-k", "retention"]


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def place(tmp_path: Path, silent_server: str) -> list[str]:
    """Options that name a configuration with an environment `here`, and records of its own."""
    config = tmp_path / "opsconsole.toml"
    config.write_text(f'[env.here]\nprometheus = {{ url = "{silent_server}", timeout_seconds = 0.3 }}\n')
    return ["--config", str(config), "--records", str(tmp_path / "records.db")]


def recorded(place: list[str]) -> RunView:
    records = open_records(Path(place[-1]))
    view = RunView.of(records.entries(records.find("last")))
    records.close()
    return view


@pytest.mark.parametrize("form", ["--plain", "--json"])
def test_a_full_output_is_told_and_the_run_recorded(place: list[str], form: str) -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [*VERIFY, *place, form], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120
        )
    assert run.returncode == 2
    assert "standard output cannot be written" in run.stderr
    assert "Traceback" not in run.stderr
    assert recorded(place).finished is not None


def test_a_reader_that_goes_away_changes_neither_the_run_nor_its_exit_code(place: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    run = subprocess.run(
        [*VERIFY, *place, "--plain"], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120
    )
    os.close(writing)
    assert (run.returncode, run.stderr) == (3, "")
    assert recorded(place).finished is not None


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_told_to_end_says_how_to_go_on(place: list[str], number: int) -> None:
    config = Path(place[1])
    config.write_text(config.read_text().replace("0.3", "500"))
    with subprocess.Popen(
        [*VERIFY, *place, "--plain"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        header = process.stdout.readline()
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "--resume" in errors
    assert header.split()[-1] in errors
    assert recorded(place).finished is None
