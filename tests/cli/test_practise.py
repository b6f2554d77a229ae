"""`lab practise`: a fault that nobody names is looked for, found or given up, and recorded as a run."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import IO

import pytest

from opsconsole.cli import practice_talk, terminal
from opsconsole.cli.lines import Output
from opsconsole.cli.practice_talk import Talk
from opsconsole.engine.record import Recorder
from opsconsole.errors import LabError
from opsconsole.lab import faults, practice, state
from opsconsole.lab.state import LabState, Member
from opsconsole.model import Event, Finding, Found, ItemFinished, ItemStarted, Outcome
from opsconsole.runview import RunView
from opsconsole.store import Records, open_records
from tests.sample_run import numbered, started

TELLS = faults.named("target_down")
OTHER = faults.named("silenced_for_ever")
BOUND_SECONDS = 120.0
CONSOLE = """
from opsconsole.cli import main
from opsconsole.lab.workshop import Workshop
Workshop.steady = lambda workshop: None
main()
"""
"""The console, with faults that do not need a lab that is steady."""


def seed_of(name: str) -> int:
    """A seed that draws this fault."""
    return next(seed for seed in count() if practice.drawn(seed, practice.possible()).name == name)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with closing(open_records(tmp_path / "records.db")) as opened:
        yield opened


@pytest.fixture
def broken(tmp_path: Path) -> LabState:
    """What is written down of a lab that is broken; nothing of it runs."""
    lab = LabState(
        owner="practice",
        folder=tmp_path,
        starter=Member("starter", os.getpid(), 0),
        started_at=0.0,
        prometheus_version="3.5.3",
        alertmanager_version="0.33.1",
        fault=TELLS.name,
        broken_at=1.0,
    )
    lab.save()
    return lab


Practised = Callable[..., tuple[int, str, RunView]]


@pytest.fixture
def practised(records: Records, broken: LabState, monkeypatch: pytest.MonkeyPatch) -> Practised:
    """A practice with these lines typed: its exit code, what was said, and the run of it."""

    def practised(*lines: str, run: str = "r-1") -> tuple[int, str, RunView]:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        said = io.StringIO()
        talk = Talk(5, TELLS, practice.possible(), Recorder(run, records), Output(said), None)
        code = talk.held(broken, records)
        return code, said.getvalue(), RunView.of(records.entries(run))

    return practised


def steps(view: RunView, subject: str) -> list[str]:
    return [seen.text for seen in view.items["fault"].seen if seen.subject == subject]


def test_what_is_found_passes_and_the_record_tells_how(practised: Practised) -> None:
    code, said, view = practised("hint", "silenced_for_ever", "target_slow", "target_down", "give up")
    item = view.items["fault"]
    assert (code, item.outcome, view.exit_code) == (0, Outcome.PASS, 0)
    assert view.start
    assert (view.start.kind, view.start.environment) == ("practise", "lab")
    assert view.finished
    assert "Yes: target_down: The billing service is down." in said
    assert "No, not this one: silenced_for_ever" in said
    assert "No, the right link, another fault: target_slow" in said
    assert item.text.startswith("target_down found after ")
    assert item.text.endswith(", with 2 wrong answers and 1 hint")
    assert steps(view, "seed") == ["5"]
    assert steps(view, "fault") == ["target_down: The billing service is down"]
    assert [text.partition(": ")[2] for text in steps(view, "answer")] == [
        "silenced_for_ever: not this one",
        "target_slow: the right link, another fault",
        "target_down: right",
    ]
    assert all(text.startswith("after ") for text in steps(view, "answer") + steps(view, "hint"))
    assert [*view.versions] == ["prometheus", "alertmanager"]


@pytest.mark.parametrize("lines", [["give up"], [], ["silenced_for_ever"]], ids=["given up", "end", "wrong"])
def test_what_is_not_found_fails_and_is_told(practised: Practised, lines: list[str]) -> None:
    code, said, view = practised(*lines)
    item = view.items["fault"]
    assert (code, item.outcome, view.exit_code) == (1, Outcome.FAIL, 1)
    assert "It was target_down: The billing service is down." in said
    assert "`verify` tells of it at scraping, in such words: connection refused" in said
    assert [finding.subject for finding in item.findings] == ["target_down"]
    assert "metrics_are_scraped" in item.findings[0].remedy
    assert "opsconsole lab practise --seed 5" in item.findings[0].remedy


def test_guessing_is_not_finding(practised: Practised) -> None:
    others = [name for name in faults.load() if name not in ("target_down", TELLS.name)][:10]
    code, said, view = practised(*others, "target_down")
    assert (code, view.items["fault"].outcome) == (1, Outcome.FAIL)
    assert "10 wrong answers: it is guessed, not found" in said


def test_nothing_names_the_fault_before_the_end(practised: Practised) -> None:
    _, said, _ = practised("help", "", "hint", "hint", "hint", "list alertmanager", "nonsense", "\x00\x1b[2J")
    told = said.partition("It was ")[0]
    assert TELLS.name not in told
    assert TELLS.said not in told
    assert "A hint: the link is target" in told
    assert "A hint: `verify` tells of it at scraping" in told
    assert "There are no more hints" in told
    assert "\x1b" not in said


def test_words_that_may_mean_one_fault_are_asked_about(practised: Practised) -> None:
    code, said, view = practised("ten years", "n", "ten years", "y", "billing service down", "yes")
    assert said.count("Do you mean silenced_for_ever: ") == 2
    assert [text.split(": ")[1] for text in steps(view, "answer")] == ["silenced_for_ever", "target_down"]
    assert code == 0


def test_the_console_is_called_and_comes_back(practised: Practised, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []

    def call(argv: list[str]) -> int:
        called.append(argv)
        return 1

    monkeypatch.setattr(practice_talk, "_called", call)
    _, said, view = practised("verify -k scraping", "status", "rehearse", "lab down", "alert-test", "q")
    assert called == [["verify", "-k", "scraping"], ["lab", "status"], ["rehearse"]]
    assert steps(view, "look")[0].endswith(": verify -k scraping, exit 1")
    assert said.count("Not here: ") == 2


def test_a_lab_that_somebody_has_taken_away_ends_it(
    practised: Practised, broken: LabState, monkeypatch: pytest.MonkeyPatch
) -> None:
    (broken.folder / state.STATE_FILE).unlink()
    with pytest.raises(LabError, match="taken down or mended meanwhile"):
        practised("verify")


def test_the_words_are_those_of_the_run_that_has_shown_it(practised: Practised, records: Records) -> None:
    events: tuple[Event, ...] = (
        started("scraping", run="v-1", environment="lab"),
        ItemStarted(item="scraping"),
        Found(item="scraping", finding=Finding(subject="app", summary="is down: connection refused")),
        ItemFinished(item="scraping", outcome=Outcome.FAIL, summary="down", seconds=1.0),
    )
    for entry in numbered(events, run="v-1"):
        records.append(entry)
    _, said, view = practised("target_down")
    assert "`verify` tells of it at scraping, as in run v-1: app: is down: connection refused" in said
    assert steps(view, "told at") == ["scraping, as in run v-1: app: is down: connection refused"]


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`opsconsole lab practise` as a process, whose lab is kept in a place of its own."""
    processes: list[subprocess.Popen[str]] = []

    def begun(*arguments: str) -> subprocess.Popen[str]:
        own = {"XDG_RUNTIME_DIR": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
        process = subprocess.Popen(
            [sys.executable, "-c", CONSOLE, "lab", "practise", *arguments],
            env={**os.environ, **own},
            cwd=tmp_path,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        processes.append(process)
        return process

    yield begun
    for process in processes:
        process.kill()
        process.communicate()


def seen(stream: IO[str], words: str) -> str:
    """The first line of the stream with these words in it."""
    return next(line for line in stream if words in line)


def test_a_whole_practice_on_a_lab_of_its_own(
    begun: Callable[..., subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    seed = seed_of(OTHER.name)
    process = begun("--seed", str(seed))
    assert process.stdin
    assert process.stdout
    seen(process.stdout, f"This is practice {seed}.")
    lab = state.kept()
    assert lab, "others find it"
    assert lab.in_practice
    assert lab.fault == OTHER.name
    process.stdin.write("verify -k routing\n")
    process.stdin.flush()
    seen(process.stdout, "FAIL      routing")
    said, _ = process.communicate(f"{OTHER.name}\n", timeout=BOUND_SECONDS)
    assert f"Yes: {OTHER.name}" in said
    assert process.returncode == 0
    assert not [member for member in lab.members if member.running]
    assert not lab.folder.exists()
    with closing(open_records(tmp_path / "state/opsconsole/records.db", read_only=True)) as records:
        verified, run = records.runs(2)
        assert (run.kind, run.exit_code, verified.kind) == ("practise", 0, "verify")
        assert f"as in run {verified.run}" in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_a_practice_that_is_ended_while_its_lab_starts_leaves_nothing(
    begun: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    process = begun()
    assert process.stderr
    seen(process.stderr, "starting")
    process.send_signal(number)
    said, told = process.communicate(timeout=BOUND_SECONDS)
    assert process.returncode == 130
    assert "The same again: opsconsole lab practise --seed" in said
    assert "Traceback" not in told
    assert not [*tmp_path.glob("opsconsole/lab-*")]


@pytest.mark.parametrize(
    ("line", "columns", "lines"),
    [
        pytest.param("  hint  where to look", 0, ["  hint  where to look"], id="no-terminal"),
        pytest.param("  hint  where to look", 80, ["  hint  where to look"], id="short"),
        pytest.param("  hint  where to look", 16, ["  hint  where to", "        look"], id="under-it"),
        pytest.param(
            "a name         said in words", 17, ["a name         ", "        said in", "        words"],
            id="too-far-right",
        ),
    ],
)  # fmt: skip
def test_lines_are_broken_between_words(line: str, columns: int, lines: list[str]) -> None:
    got = terminal.broken(line, columns).split("\n")
    assert [each.rstrip() for each in got] == [each.rstrip() for each in lines]
