"""Which runs can go on where they were cut off."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from opsconsole import session
from opsconsole.errors import RecordsError
from opsconsole.lab import environment
from opsconsole.model import RunStarted
from opsconsole.reports.wording import afterwards
from opsconsole.runview import RunView
from opsconsole.store import Records, open_records
from tests.sample_run import RUN, numbered, started


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    records = open_records(tmp_path / "records.db")
    yield records
    records.close()


def cut_off(kind: str) -> RunStarted:
    """The beginning of a run in the lab, of the checklist as it is."""
    plan = session.plan(environment.outline())
    begun = started("a", environment="lab", kind=kind)
    return replace(begun, checklist_hash=plan.checklist.hash)


def test_a_verification_goes_on(records: Records) -> None:
    for entry in numbered([cut_off("verify")]):
        records.append(entry)
    past = session.resumable(records, RUN, session.plan(environment.outline()))
    assert list(past.unfinished()) == ["a"]
    assert afterwards(past, " --records r").endswith(
        f"; opsconsole verify --env lab --resume {RUN} --records r"
    )


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("alert-test", "opsconsole cleanup"),
        ("alert-send", "opsconsole alert send"),
        ("cleanup", "opsconsole cleanup"),
        ("a-later-kind", "begin a new one"),
    ],
)
def test_nothing_else_does(records: Records, kind: str, hint: str) -> None:
    for entry in numbered([cut_off(kind)]):
        records.append(entry)
    with pytest.raises(RecordsError, match=f"is no verification but of kind {kind}") as caught:
        session.resumable(records, RUN, session.plan(environment.outline()))
    assert hint in caught.value.hint
    told = afterwards(RunView.of(records.entries(RUN)), " --records r")
    assert "--resume" not in told
    assert told.endswith(f"; opsconsole runs show {RUN} --records r")
