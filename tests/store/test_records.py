"""Runs come back as they were put in, and are found by what a person types."""

import re
import sqlite3
import stat
from pathlib import Path

import pytest

from opsconsole.errors import RecordsError
from opsconsole.model import Entry, ItemFinished, Outcome, RunResumed
from opsconsole.store import Records, default_path, new_run_id, open_records
from tests.sample_run import BEGAN, RUN, ended, numbered, sample, signed, started


def test_every_kind_of_event_comes_back_as_it_was(filled: Records) -> None:
    assert list(filled.entries(RUN)) == sample()


def test_there_are_no_entries_of_an_unknown_run(filled: Records) -> None:
    assert list(filled.entries("nothing")) == []


def test_a_time_in_whole_seconds_and_text_that_is_no_unicode_do_no_harm(records: Records) -> None:
    records.append(Entry(RUN, 1, 5, RunResumed(who="b\udcffd", host="\x00\x9b")))
    assert list(records.entries(RUN)) == [Entry(RUN, 1, 5.0, RunResumed(who="b?d", host="\x00\x9b"))]
    assert records.verify().first_broken is None


def test_a_run_in_one_line(filled: Records) -> None:
    (run,) = filled.runs(limit=5)
    assert (run.run, run.environment, run.who, run.checklist) == (RUN, "staging", "ada", "Billing monitoring")
    assert run.started_at == BEGAN + 0.25
    assert run.outcomes == dict.fromkeys(Outcome, 1)
    assert run.exit_code == 1
    assert run.entries == len(sample())
    assert run.head == filled.verify().head


def test_the_newest_runs_come_first_and_by_environment(filled: Records) -> None:
    for name, environment in (("20261122-1717-aaaa", "lab"), ("20261122-1718-bbbb", "staging")):
        for entry in sample(run=name, environment=environment):
            filled.append(entry)
    assert [run.run for run in filled.runs(2)] == ["20261122-1718-bbbb", "20261122-1717-aaaa"]
    assert [run.run for run in filled.runs(9, "staging")] == ["20261122-1718-bbbb", RUN]


def test_a_run_that_was_cut_off_has_no_exit_code(records: Records) -> None:
    for entry in sample()[:-1]:
        records.append(entry)
    assert records.summary(RUN).exit_code is None


def test_a_sign_off_changes_what_a_run_comes_to(records: Records) -> None:
    judge = ended("thresholds", Outcome.SIGN_OFF, "judge")
    for entry in numbered([started("thresholds"), judge, sample()[-1].event]):
        records.append(entry)
    assert records.summary(RUN).exit_code == 3
    for entry in numbered([signed()], first=records.next_number(RUN)):
        records.append(entry)
    assert records.summary(RUN).exit_code == 0


def test_find_takes_what_a_person_types(filled: Records) -> None:
    for entry in sample(run="20261122-1718-bbbb"):
        filled.append(entry)
    assert filled.find(RUN) == RUN
    assert filled.find("20261122-1716") == RUN
    assert filled.find("last") == "20261122-1718-bbbb"
    assert filled.find("last~1") == RUN


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("20261122", "2 runs begin with"),
        ("20261122-1716-7k3z", f"did you mean '{RUN}'"),
        ("last~2", "no run 'last~2'"),
        ("", "no run ''"),
        ("%", "no run '%'"),
    ],
)
def test_find_says_what_is_near(filled: Records, name: str, said: str) -> None:
    for entry in sample(run="20261122-1718-bbbb"):
        filled.append(entry)
    with pytest.raises(RecordsError, match=re.escape(said)):
        filled.find(name)


def test_find_in_empty_records_says_how_to_begin(records: Records) -> None:
    with pytest.raises(RecordsError, match="opsconsole verify"):
        records.find("last")


def test_an_items_history_is_of_its_environment_and_newest_first(filled: Records) -> None:
    for name, environment in (("20261122-1717-aaaa", "lab"), ("20261122-1718-bbbb", "staging")):
        for entry in sample(run=name, environment=environment):
            filled.append(entry)
    filled.append(Entry(RUN, filled.next_number(RUN), BEGAN + 60, signed(passed=False)))
    (newest, oldest) = filled.item_history("staging", "thresholds", 5)
    assert newest[0] == "20261122-1718-bbbb"
    assert newest.outcome is Outcome.SIGN_OFF
    assert newest.summary == "7 alerts judged over 15 days"
    assert oldest == (RUN, BEGAN + 60, Outcome.FAIL, 0.5, "signed by ada: as agreed")
    assert len(filled.item_history("staging", "thresholds", 1)) == 1
    assert filled.item_history("staging", "no such item", 5) == []


def test_numbers_go_on_and_are_never_given_twice(filled: Records) -> None:
    number = filled.next_number(RUN)
    assert number == len(sample()) + 1
    assert filled.next_number("another") == 1
    with pytest.raises(RecordsError, match="another console has written"):
        filled.append(Entry(RUN, 1, BEGAN, RunResumed(who="ada", host="console")))
    filled.append(Entry(RUN, number, BEGAN, RunResumed(who="ada", host="console")))
    assert filled.verify().first_broken is None


def test_an_event_of_a_newer_opsconsole_is_named(filled: Records, path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO entry VALUES (1000, ?, 1000, 0, 'AlertTraced', '{}', '')", (RUN,))
    with pytest.raises(RecordsError, match=r"(?s)records.db: .*'AlertTraced'.*update this one"):
        list(filled.entries(RUN))


def test_what_a_newer_opsconsole_added_to_an_event_is_passed_over(filled: Records, path: Path) -> None:
    with sqlite3.connect(path) as database:
        body = '{"who": "ada", "host": "console", "shoe_size": 39}'
        database.execute("INSERT INTO entry VALUES (1000, 'r', 1, 0, 'RunResumed', ?, '')", (body,))
    assert [entry.event for entry in filled.entries("r")] == [RunResumed(who="ada", host="console")]


def test_ids_are_short_sortable_and_fit_in_a_label() -> None:
    ids = [new_run_id(BEGAN) for _ in range(100)]
    assert all(re.fullmatch(r"20261122-1716-[a-z0-9]{4}", id) for id in ids)
    assert len(set(ids)) > 95
    assert new_run_id(BEGAN + 60) > max(ids)


def test_the_default_place_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    records = open_records()
    records.append(Entry(RUN, 1, BEGAN, ItemFinished(item="a", outcome=Outcome.PASS, summary="", seconds=0)))
    folder = tmp_path / "state" / "opsconsole"
    assert default_path() == folder / "records.db"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    records.close()


def test_a_relative_state_folder_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "here")
    monkeypatch.setenv("HOME", "/home/ada")
    assert default_path() == Path("/home/ada/.local/state/opsconsole/records.db")
