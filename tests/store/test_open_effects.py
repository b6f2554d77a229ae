"""What any run has begun and not ended is found, whoever left it."""

import sqlite3
from pathlib import Path

from opsconsole.model import EffectBegun, EffectEnded, Event, RunFinished
from opsconsole.store import Records, open_records
from tests.sample_run import BEGAN, numbered, started

RUNS = {"20261122-1716-aaaa": "staging", "20261122-1717-bbbb": "lab"}


def begun(effect: str, **data: str) -> EffectBegun:
    return EffectBegun(
        item="drill", effect=effect, what=f"a test alert {effect}", undo="resolve it", data=data
    )


def ended(effect: str) -> EffectEnded:
    return EffectEnded(item="drill", effect=effect, how="seen to be gone")


def run(records: Records, name: str, *events: Event) -> None:
    start = started("drill", run=name, environment=RUNS[name])
    for entry in numbered([start, *events], run=name):
        records.append(entry)


def test_what_was_begun_and_not_ended_is_open_whatever_became_of_the_run(records: Records) -> None:
    first, second = RUNS
    run(
        records,
        first,
        begun("1"),
        begun("2", kind="test_alert"),
        ended("1"),
        RunFinished(exit_code=0, seconds=1),
    )
    run(records, second, begun("2"), begun("1"), ended("2"))
    left = records.open_effects()
    assert [(one.run, one.environment, one.begun.effect) for one in left] == [
        (first, "staging", "2"),
        (second, "lab", "1"),
    ]
    assert left[0].begun == begun("2", kind="test_alert")
    assert left[0].at == BEGAN + 0.25 * 3
    assert records.verify().first_broken is None


def test_an_effect_of_an_older_opsconsole_is_found_read_only(records: Records, path: Path) -> None:
    name = next(iter(RUNS))
    run(records, name, begun("1", labels='{"alertname": "X"}', ends_at="1.0"))
    for entry in numbered([begun("0"), ended("0"), ended("0")], run=name, first=records.next_number(name)):
        records.append(entry)  # ended twice, by two who cleaned up at once: the other one stays open
    reader = open_records(path, read_only=True)
    assert [one.begun.effect for one in reader.open_effects()] == ["1"]
    reader.close()


def test_nothing_is_open_in_a_run_that_ended_all(filled: Records) -> None:
    assert filled.open_effects() == []


def test_the_kinds_are_found_by_the_index(records: Records, path: Path) -> None:
    with sqlite3.connect(path) as database:
        plan = database.execute(
            "EXPLAIN QUERY PLAN SELECT body FROM entry WHERE kind IN ('EffectBegun', 'EffectEnded')"
        ).fetchall()
    assert "entry_by_kind" in str(plan)
