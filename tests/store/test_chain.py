"""Whoever changes the records behind opsconsole's back is found out."""

import sqlite3
from pathlib import Path

import pytest

from opsconsole.store import Records
from opsconsole.store.chain import GENESIS, link_hash
from tests.sample_run import sample

COUNT = len(sample())


def tamper(path: Path, *statements: str) -> None:
    """Change the file as someone who knows SQLite would: triggers first."""
    with sqlite3.connect(path) as database:
        database.execute("DROP TRIGGER entry_is_never_changed")
        database.execute("DROP TRIGGER entry_is_never_removed")
        for statement in statements:
            database.execute(statement)


@pytest.mark.parametrize(
    "statement", ["UPDATE entry SET body = '{}'", "DELETE FROM entry WHERE position = 3"]
)
def test_the_database_itself_refuses_to_change_what_is_recorded(
    filled: Records, path: Path, statement: str
) -> None:
    with sqlite3.connect(path) as database, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute(statement)
    assert filled.verify().entries == COUNT


def test_untouched_records_are_whole(filled: Records) -> None:
    proof = filled.verify()
    assert (proof.entries, proof.runs, proof.first_broken) == (COUNT, 1, None)
    assert filled.holds(proof.head)
    assert not filled.holds("0" * 64)


def test_empty_records_are_whole(records: Records) -> None:
    proof = records.verify()
    assert (proof.entries, proof.runs, proof.head, proof.first_broken) == (0, 0, GENESIS, None)


@pytest.mark.parametrize(
    ("change", "position"),
    [
        ("UPDATE entry SET body = replace(body, 'PASS', 'FAIL') WHERE position = 11", 11),
        ("UPDATE entry SET kind = 'RunResumed' WHERE position = 5", 5),
        ("UPDATE entry SET at = at + 0.001 WHERE position = 7", 7),
        ("UPDATE entry SET number = 900 WHERE position = 9", 9),
        ("UPDATE entry SET run = 'r' WHERE position = 1", 1),
        ("UPDATE entry SET hash = 'f' WHERE position = 4", 4),
        (f"UPDATE entry SET position = 500 WHERE position = {COUNT}", 500),
        ("DELETE FROM entry WHERE position = 10", 11),
        ("DELETE FROM entry WHERE position <= 2", 3),
        ("INSERT INTO entry SELECT 0, 'r', 1, at, kind, body, hash FROM entry WHERE position = 1", 0),
    ],
)
def test_a_change_is_found_and_named(filled: Records, path: Path, change: str, position: int) -> None:
    before = [tuple(row) for row in sqlite3.connect(path).execute("SELECT * FROM entry ORDER BY position")]
    tamper(path, change)
    after = [tuple(row) for row in sqlite3.connect(path).execute("SELECT * FROM entry ORDER BY position")]
    assert before != after
    broken = filled.verify().first_broken
    assert broken is not None
    assert broken.position == position


def test_two_entries_that_changed_places_are_found(filled: Records, path: Path) -> None:
    tamper(
        path,
        "UPDATE entry SET position = -1 WHERE position = 5",
        "UPDATE entry SET position = 5 WHERE position = 6",
        "UPDATE entry SET position = 6 WHERE position = -1",
    )
    broken = filled.verify().first_broken
    assert broken is not None
    assert broken.position == 5


def test_an_entry_that_was_taken_out_and_the_gap_closed_is_found(filled: Records, path: Path) -> None:
    tamper(
        path,
        "DELETE FROM entry WHERE position = 10",
        *(f"UPDATE entry SET position = {n - 1} WHERE position = {n}" for n in range(11, COUNT + 1)),
    )
    broken = filled.verify().first_broken
    assert broken is not None
    assert broken.position == 10


def test_a_tail_that_was_cut_off_is_known_by_the_head_that_a_report_printed(
    filled: Records, path: Path
) -> None:
    head = filled.verify().head
    tamper(path, f"DELETE FROM entry WHERE position = {COUNT}")
    assert filled.verify().first_broken is None
    assert not filled.holds(head)


def test_the_hash_is_computed_as_documented() -> None:
    import hashlib
    import json

    array = ["0" * 64, "r", 1, 1795367760.25, "Found", '{"item":"ü"}']
    text = json.dumps(array, ensure_ascii=False, separators=(",", ":"))
    assert link_hash(*array) == hashlib.sha256(text.encode()).hexdigest()  # type: ignore[arg-type]
