"""kill -9 at any moment loses nothing that was shown; two consoles at once stay one chain."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from opsconsole.store import open_records

APPENDER = """
import sys
from pathlib import Path
from opsconsole.model import Entry, Exchange, Exchanged
from opsconsole.store import open_records
path, run, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
records = open_records(path)
exchange = Exchange(id="x1", server="prometheus", method="GET", url="http://x/", response_body="y" * 8000)
for number in range(records.next_number(run), count + 1):
    records.append(Entry(run, number, number / 8, Exchanged(item="a", exchange=exchange)))
    print(number, flush=True)
"""


def appender(path: Path, run: str, count: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", APPENDER, str(path), run, str(count)], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("moment", range(5))
def test_what_was_printed_before_a_kill_is_in_the_records(path: Path, moment: int) -> None:
    process = appender(path, "r", 100_000)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        time.sleep(0.003 * (2 * moment + 1))
    finally:
        process.kill()
    printed = 1 + sum(line.endswith("\n") for line in process.stdout)
    process.wait()
    records = open_records(path)
    kept = [entry.number for entry in records.entries("r")]
    assert kept[:printed] == list(range(1, printed + 1))
    assert len(kept) - printed in (0, 1)
    assert records.verify().first_broken is None
    records.close()


def test_two_consoles_at_once_write_one_chain(path: Path) -> None:
    consoles = [appender(path, run, 150) for run in ("r1", "r2", "r3")]
    for console in consoles:
        _, status = console.communicate(timeout=120), console.wait()
        assert status == 0
    records = open_records(path)
    for run in ("r1", "r2", "r3"):
        assert [entry.number for entry in records.entries(run)] == list(range(1, 151))
    proof = records.verify()
    assert (proof.entries, proof.runs, proof.first_broken) == (450, 3, None)
    records.close()
