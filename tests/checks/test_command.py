"""The shipped checklist by the command itself, as a process, with a lab of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from opsconsole.lab import processes
from opsconsole.lab.servers import Pair, cache_folder
from opsconsole.lab.state import STATE_FILE
from opsconsole.runview import RunView
from opsconsole.store import open_records
from tests.checks.breaking import eventually

ITEMS = {
    "scraping", "webhook-metrics", "plugin", "retention", "dashboard", "panels", "rules", "thresholds",
    "routing", "test-email",
}  # fmt: skip


class Command:
    """`opsconsole verify` with folders of its own; the servers and the history come from the user's cache."""

    def __init__(self, folder: Path, pair: Pair) -> None:
        self.folder = folder
        self.records = folder / "records.db"
        self.labs = folder / "run" / "opsconsole"
        self._versions = [
            f"--prometheus-version={pair.prometheus}",
            f"--alertmanager-version={pair.alertmanager}",
        ]
        (folder / "run").mkdir()

    @property
    def environment(self) -> Mapping[str, str]:
        own = {"XDG_RUNTIME_DIR": self.folder / "run", "XDG_STATE_HOME": self.folder / "state"}
        return {
            **os.environ,
            "XDG_CACHE_HOME": str(cache_folder().parent),
            **{k: str(v) for k, v in own.items()},
        }

    def argv(self, *arguments: str) -> list[str]:
        own = ["--plain", "--records", str(self.records), *self._versions]
        return [sys.executable, "-m", "opsconsole", "verify", *own, *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(*arguments), env=self.environment, cwd=self.folder, capture_output=True, text=True,
            timeout=3000, check=False,
        )  # fmt: skip

    @contextmanager
    def begun(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            self.argv(*arguments), env=self.environment, cwd=self.folder, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def lab(self) -> dict[str, Any]:
        """The state of the one lab that there is."""
        (path,) = self.labs.glob(f"lab-*/{STATE_FILE}")
        state: dict[str, Any] = json.loads(path.read_text())
        return state

    def view(self) -> RunView:
        """The last run as the records have it."""
        records = open_records(self.records, read_only=True)
        try:
            return RunView.of(records.entries(records.find("last")))
        finally:
            records.close()


@pytest.fixture
def command(tmp_path: Path, pair: Pair) -> Command:
    return Command(tmp_path, pair)


def gone(state: Mapping[str, Any]) -> bool:
    """Whether nothing of this lab runs, listens or is on disk."""
    running = [m for m in state["members"] if processes.is_running(m["pid"], m["start_ticks"])]
    return not running and not any(map(_listens, _ports(state))) and not Path(state["folder"]).exists()


def _ports(state: Mapping[str, Any]) -> list[int]:
    return [
        int(found[1])
        for value in state.values()
        if (found := re.search(r"^(?:http://)?127\.0\.0\.1:(\d+)$", str(value)))
    ]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def outcome_lines(process: subprocess.Popen[str], least: int) -> list[str]:
    """The first `least` lines that tell an outcome."""
    assert process.stdout
    lines: list[str] = []
    for line in process.stdout:
        if line.startswith(("PASS", "FAIL", "SKIP", "UNKNOWN", "SIGN-OFF", "BROKEN")):
            lines.append(line)
        if len(lines) >= least:
            break
    return lines


def test_the_whole_checklist_passes_and_leaves_nothing(command: Command) -> None:
    with command.begun("--json") as process:
        assert process.stdout
        first = process.stdout.readline()
        state = command.lab()
        rest, errors = process.communicate(timeout=3000)
    assert process.returncode == 0, rest[-2000:] + errors
    events = [json.loads(line) for line in [first, *rest.splitlines()]]
    finished = {
        entry["event"]["item"]: entry["event"]["outcome"]
        for entry in events
        if entry["kind"] == "ItemFinished"
    }
    assert finished.keys() == ITEMS
    assert set(finished.values()) <= {"PASS", "SIGN-OFF"}
    assert events[-1]["event"]["exit_code"] == 0
    assert len(_ports(state)) == 6
    assert gone(state)
    assert not list(command.labs.parent.iterdir())


def test_interrupted_it_clears_up_and_goes_on_later(command: Command) -> None:
    with command.begun() as process:
        printed = outcome_lines(process, 2)
        state = command.lab()
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert gone(state)
    run = re.search(r"go on with: opsconsole verify --env lab --resume (\S+)", errors)
    assert run, errors
    before = command.view()
    done = [id for id, item in before.items.items() if item.outcome]
    assert set(before.unfinished())
    assert {line.split()[1] for line in [*printed, *rest.splitlines()] if line[:4] == "PASS"} == set(done)

    resumed = command.run("--resume", "last")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    after = command.view()
    assert after.start
    assert (after.start.run, after.resumed, list(after.unfinished())) == (run[1], 1, [])
    assert not after.open_effects


def test_killed_it_loses_no_line_and_the_next_start_clears_up(command: Command) -> None:
    with command.begun() as process:
        printed = outcome_lines(process, 3)
        state = command.lab()
        process.kill()
        process.wait()
    outcomes = {id: item.outcome for id, item in command.view().items.items()}
    assert {line.split()[1]: line.split()[0] for line in printed}.items() <= outcomes.items()

    following = command.run("-k", "retention")
    assert following.returncode == 0, following.stdout + following.stderr
    eventually(lambda: gone(state), "what the killed run left is gone")
    assert not list(command.labs.parent.iterdir())
