"""`opsconsole sign-off`, on real records."""

import getpass
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from opsconsole.cli.sign_off import command
from opsconsole.errors import OpsconsoleError, UsageError
from opsconsole.model import Event, Outcome, SignedOff
from opsconsole.redaction import learn
from opsconsole.runview import RunView
from opsconsole.store import open_records
from tests.sample_run import RUN, ended, numbered, sample, started

SignOff = Callable[..., Result]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Records of a run in which one item passed and two wait."""
    path = tmp_path / "records.db"
    records = open_records(path)
    events: list[Event] = [
        started("scraping", "thresholds", "mail"),
        ended("scraping", Outcome.PASS, "up"),
        ended("thresholds", Outcome.SIGN_OFF, "7 judged", question="Right?"),
        ended("mail", Outcome.SIGN_OFF, "sent", question="Came?"),
        sample()[-1].event,
    ]
    for entry in numbered(events):
        records.append(entry)
    records.close()
    return path


@pytest.fixture
def sign_off(path: Path) -> SignOff:
    def call(*arguments: str) -> Result:
        result = CliRunner().invoke(command, [*arguments, "--records", str(path)])
        if isinstance(result.exception, OpsconsoleError):
            raise result.exception
        return result

    return call


def recorded(path: Path) -> list[SignedOff]:
    records = open_records(path, read_only=True)
    try:
        assert records.verify().first_broken is None
        return [e.event for e in records.entries(RUN) if isinstance(e.event, SignedOff)]
    finally:
        records.close()


def test_a_person_signs_and_the_run_comes_to_something_else(sign_off: SignOff, path: Path) -> None:
    first = sign_off("last", "thresholds", "--pass", "--note", " as agreed ", "--who", "Ada")
    assert first.exit_code == 0
    assert first.output == (
        "PASS  thresholds: signed as passed by Ada: as agreed\n"
        f"run {RUN}: 2 PASS, 1 SIGN-OFF in 4.20 s: "
        "nothing failed, but something is unknown, broken or unsigned (exit 3)\n"
    )
    second = sign_off(RUN, "mail", "--pass", "--note", "it came", "--who", "Ada")
    assert second.output.endswith("3 PASS in 4.20 s: all passed or were skipped for a reason (exit 0)\n")
    assert recorded(path) == [
        SignedOff(item="thresholds", who="Ada", passed=True, note="as agreed", by_person=True),
        SignedOff(item="mail", who="Ada", passed=True, note="it came", by_person=True),
    ]


def test_a_person_may_say_no(sign_off: SignOff, path: Path) -> None:
    result = sign_off("last", "thresholds", "--fail", "--note", "far too low")
    assert result.output.startswith(
        f"FAIL  thresholds: signed as failed by {getpass.getuser()}: far too low\n"
    )
    assert result.output.endswith("something failed (exit 1)\n")
    records = open_records(path, read_only=True)
    assert RunView.of(records.entries(RUN)).exit_code == 1
    records.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("last", "scraping", "--pass", "--note", "x"), "does not wait for a sign-off: it is PASS"),
        (("last", "threshold", "--pass", "--note", "x"), "did you mean 'thresholds'?"),
        (("2025", "thresholds", "--pass", "--note", "x"), "there is no run '2025'"),
        (("last", "thresholds", "--pass", "--note", "  "), "the note is empty"),
    ],
)
def test_what_cannot_be_signed_is_refused(
    sign_off: SignOff, path: Path, arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        sign_off(*arguments)
    assert said in str(caught.value)
    assert recorded(path) == []


def test_nothing_is_signed_twice(sign_off: SignOff, path: Path) -> None:
    sign_off("last", "thresholds", "--pass", "--note", "x")
    with pytest.raises(UsageError, match="does not wait"):
        sign_off("last", "thresholds", "--fail", "--note", "y")
    assert len(recorded(path)) == 1


@pytest.mark.parametrize("arguments", [("--note", "x"), ("--pass",)])
def test_judgement_and_note_are_needed(sign_off: SignOff, path: Path, arguments: tuple[str, ...]) -> None:
    assert sign_off("last", "thresholds", *arguments).exit_code == 2
    assert recorded(path) == []


def test_a_run_that_is_not_finished_is_not_signed(sign_off: SignOff, path: Path) -> None:
    records = open_records(path)
    for entry in sample(run="20261123-0900-abcd")[:-1]:
        records.append(entry)
    records.close()
    with pytest.raises(UsageError, match=r"(?s)is not finished.*--resume"):
        sign_off("last", "thresholds", "--pass", "--note", "x")


def test_a_secret_in_the_note_is_redacted(sign_off: SignOff, path: Path) -> None:
    learn("hunter2hunter2", "env:TOKEN")
    result = sign_off("last", "thresholds", "--pass", "--note", "with hunter2hunter2")
    assert "hunter2" not in result.output
    assert recorded(path)[0].note == "with {{env:TOKEN}}"


def test_who_must_be_known(sign_off: SignOff, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nobody)
    with pytest.raises(UsageError, match="--who NAME"):
        sign_off("last", "thresholds", "--pass", "--note", "x")
