"""Records that cannot be used are refused with the path and what to do, never with a traceback."""

import ctypes
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsconsole.errors import RecordsError
from opsconsole.model import Entry, RunResumed
from opsconsole.store import Records, open_records
from tests.sample_run import RUN, sample

_NEW_MOUNTS = 0x00020000  # CLONE_NEWNS of sched.h


def refusal(path: Path, *, read_only: bool = False) -> RecordsError:
    with pytest.raises(RecordsError) as caught:
        open_records(path, read_only=read_only)
    assert caught.value.where == str(path)
    assert caught.value.hint
    return caught.value


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_text("not a database, " * 100)
    assert "not a database" in refusal(path).message
    assert path.read_text().startswith("not a database")


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE entry (bookkeeping TEXT)")
    before = path.read_bytes()
    assert "another program" in refusal(path).message
    assert path.read_bytes() == before


def test_records_of_a_newer_opsconsole(filled: Records, path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("UPDATE schema_version SET version = 2")
    assert "version 2" in refusal(path).message
    assert "update this one" in refusal(path).hint


@pytest.mark.parametrize("version", ["'two'", "NULL"])
def test_a_version_that_is_no_version(filled: Records, path: Path, version: str) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE schema_version")
        database.execute("CREATE TABLE schema_version (version)")
        database.execute(f"INSERT INTO schema_version VALUES ({version})")
    assert "this opsconsole knows version 1" in refusal(path).message


def test_a_folder(tmp_path: Path) -> None:
    assert "is a directory" in refusal(tmp_path).message


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    refusal(tmp_path / "state" / "records.db")


def test_reading_where_there_are_none_makes_none(path: Path) -> None:
    assert "no records yet" in refusal(path, read_only=True).message
    assert not path.exists()


def test_an_empty_file_holds_no_records_yet(path: Path) -> None:
    path.touch()
    assert "no records yet" in refusal(path, read_only=True).message


def test_what_is_open_for_reading_is_not_written(filled: Records, path: Path) -> None:
    reader = open_records(path, read_only=True)
    assert list(reader.entries(RUN)) == sample()
    with pytest.raises(RecordsError, match="readonly"):
        reader.append(Entry("r", 1, 0, RunResumed(who="ada", host="console")))
    reader.close()


@pytest.fixture(scope="session")
def private_mounts() -> None:
    """What this process mounts, nobody else sees, and it is gone with the process, however that ends."""
    unshared = ctypes.CDLL(None, use_errno=True).unshare(_NEW_MOUNTS) == 0
    if not unshared or subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True).returncode:
        pytest.skip("only root can mount")


@pytest.fixture
def read_only_folder(private_mounts: None, tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system mounted read-only, with records in it; only root can make one."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    records = open_records(folder / "records.db")
    for entry in sample():
        records.append(entry)
    records.close()
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_read_only_home(read_only_folder: Path) -> None:
    path = read_only_folder / "records.db"
    assert "read-only" in refusal(path).message
    assert "--records PATH" in refusal(path).hint
    refusal(read_only_folder / "new" / "records.db")
    reader = open_records(path, read_only=True)
    assert list(reader.entries(RUN)) == sample()
    reader.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_right_to_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "permission denied" in refusal(tmp_path / "records.db").message


def fill(records: Records) -> tuple[int, RecordsError]:
    """Append until it does not work any more."""
    for number in range(1, 5000):
        try:
            records.append(Entry("r", number, 0, RunResumed(who="ada" * 2000, host="console")))
        except RecordsError as error:
            return number - 1, error
    raise AssertionError("the disk never became full")


@pytest.fixture
def small_disk(private_mounts: None, tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB; only root can make one."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    path = small_disk / "records.db"
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 500_000)
    records = open_records(path)
    kept, error = fill(records)
    assert "full" in error.message
    assert "make room" in error.hint
    assert error.where == str(path)
    assert len(list(records.entries("r"))) == kept
    ballast.unlink()
    records.append(Entry("r", kept + 1, 0, RunResumed(who="ada", host="console")))
    assert records.verify().entries == kept + 1
    assert records.verify().first_broken is None
    records.close()


LIMITED = """
import resource, sys
from pathlib import Path
from opsconsole.errors import RecordsError
from opsconsole.model import Entry, RunResumed
from opsconsole.store import open_records
records = open_records(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
try:
    for number in range(1, 1000):
        records.append(Entry("r", number, 0, RunResumed(who="ada" * 2000, host="console")))
except RecordsError as error:
    print(number - 1, error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert records.verify().first_broken is None and records.verify().entries == number - 1
"""


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_FSIZE)[1] != resource.RLIM_INFINITY, reason="a limit is set already"
)
def test_a_file_that_may_not_grow(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED, path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert f"{path}: the records cannot be used: " in done.stdout
    assert "--records PATH" in done.stdout


def test_a_damaged_file(filled: Records, path: Path) -> None:
    filled.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(RecordsError) as caught:
        open_records(path, read_only=True).verify()
    assert caught.value.where == str(path)
    assert caught.value.hint
