"""What whoever has left the screen finds in the terminal: tried in a real one."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

from opsconsole.store import open_records

HOME = Path(__file__).parents[2]

NEVER_CLOSES = """
import asyncio, sys
from pathlib import Path
from opsconsole.model import EffectBegun, Entry, ItemStarted
from opsconsole.store import open_records
from tests.tui.conftest import Stage

class Leaves(Stage):
    def verification(self, recorder):
        def change(entry: Entry) -> None:
            if isinstance(entry.event, ItemStarted) and entry.event.item == "email":
                recorder.emit(EffectBegun(item="email", effect="e2", what="a silence", undo="expire it"))

        self.records_append = change
        return super().verification(recorder)

stage = Leaves(open_records(Path(sys.argv[1])))
stage.may_close = asyncio.Event()
stage.app().run()
"""

DOES_NOT_OPEN = """
import sys
from pathlib import Path
from opsconsole.errors import LabError
from opsconsole.store import open_records
from tests.tui.conftest import Stage

def fail(progress):
    raise LabError("Prometheus did not start", where="the lab", hint="run opsconsole doctor")

stage = Stage(open_records(Path(sys.argv[1])))
stage.before_opening = fail
sys.exit(stage.app().run())
"""

NOWHERE = """
[env.nowhere]
prometheus = "http://127.0.0.1:9"
alertmanager = "http://127.0.0.1:9"
"""


def left_in_terminal(argv: list[str], keys: list[tuple[str, str]]) -> tuple[str, int]:
    """What stands in the terminal after the screen has gone, and the exit code; each key is pressed as
    soon as its text has been written."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=HOME)
    os.close(theirs)
    written = b""
    try:
        while chunk := _read(ours):
            written += chunk
            if keys and keys[0][0].encode() in written:
                os.write(ours, keys.pop(0)[1].encode())
        code = process.wait(120)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return written.decode(errors="replace").rpartition("\x1b[?1049l")[2], code


def _read(terminal: int) -> bytes:
    if not select.select([terminal], [], [], 120)[0]:
        return b""
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end is closed
        return b""


def test_a_second_ctrl_c_leaves_at_once_and_says_what_is_left(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", NEVER_CLOSES, str(tmp_path / "records.db")]
    said, code = left_in_terminal(argv, [(" left", "\x03"), ("closing", "\x03")])
    assert code == 3
    assert "left before all was closed" in said
    assert "STILL IN EFFECT: a silence; to take it back: expire it" in said
    assert "run 20261122-1701-test:" in said


def test_a_run_that_was_left_is_named_in_the_terminal(tmp_path: Path) -> None:
    config, records = tmp_path / "opsconsole.toml", tmp_path / "records.db"
    config.write_text(NOWHERE)
    argv = [sys.executable, "-m", "opsconsole", "verify", "--env", "nowhere", "--config", str(config)]
    said, code = left_in_terminal([*argv, "--records", str(records)], [("exit 3", "q")])
    [run] = open_records(records).runs(2)
    assert code == 3
    assert f"run {run.run}: " in said
    assert f"(exit 3); opsconsole runs show {run.run} --records {records}" in said


def test_an_error_that_ended_the_console_stays_in_the_terminal(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", DOES_NOT_OPEN, str(tmp_path / "records.db")]
    said, code = left_in_terminal(argv, [("Any key", "x")])
    assert code == 2
    assert "opsconsole: the lab: Prometheus did not start" in said
    assert "run opsconsole doctor" in said
