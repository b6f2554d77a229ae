"""A practice in every format: what the person did is shown, and no empty runbook."""

import io
from dataclasses import replace

import pytest

from opsconsole import reports
from opsconsole.model import (
    Entry,
    Event,
    Finding,
    Found,
    ItemStarted,
    ItemSummary,
    Observed,
    Outcome,
    RunFinished,
    Seen,
)
from opsconsole.reports.compare import Change, compare, same
from opsconsole.reports.text import TextReport
from opsconsole.runview import RunView
from tests.sample_run import HOSTILE, ended, numbered, started

LOOK, ANSWER = "after 8.00 s: verify, exit 1", "after 9.00 s: target_down: right"


def practice(outcome: Outcome, *steps: tuple[str, str]) -> list[Entry]:
    item = ItemSummary(id="fault", title="What is broken is found", section="Practice", checks=())
    missed = Found(item="fault", finding=Finding(subject="target_down", summary="was not found"))
    events: list[Event] = [
        replace(started(environment="lab", kind="practise"), items=(item,)),
        ItemStarted(item="fault"),
        *(Observed(item="fault", seen=Seen(text, subject)) for subject, text in steps),
        *([missed] if outcome is Outcome.FAIL else []),
        ended("fault", outcome, "target_down after 9.00 s", seconds=9.0),
        RunFinished(exit_code=0 if outcome is Outcome.PASS else 1, seconds=9.0),
    ]
    return [*numbered(events)]


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.FAIL])
@pytest.mark.parametrize("format", ["text", "junit", "markdown", "html"])
def test_each_format_shows_what_was_done(format: str, outcome: Outcome) -> None:
    document = reports.render(format, practice(outcome, ("seed", "5"), ("look", LOOK), ("answer", ANSWER)))
    assert "target_down after 9.00 s" in document or format == "junit"
    for step in (f"look: {LOOK}", f"answer: {ANSWER}"):
        assert document.count(step) == 1
    assert "was not found" in document or outcome is Outcome.PASS
    assert "unbook" not in document


@pytest.mark.parametrize("format", ["text", "junit", "markdown", "html"])
def test_what_was_typed_is_shown_and_not_obeyed(format: str) -> None:
    document = reports.render(format, practice(Outcome.FAIL, ("answer", HOSTILE)))
    assert "\x1b]0" not in document
    assert "<script>" not in document or format == "text"


def test_with_evidence_each_step_is_there_once() -> None:
    stream = io.StringIO()
    report = TextReport(stream, evidence=True)
    for entry in practice(Outcome.PASS, ("look", LOOK)):
        report(entry)
    assert stream.getvalue().count(LOOK) == 1


def test_two_practices_differ_by_their_fault_and_by_what_they_took() -> None:
    one = RunView.of(practice(Outcome.PASS, ("seed", "5"), ("fault", "a: A"), ("answer", ANSWER)))
    two = RunView.of(
        practice(Outcome.PASS, ("seed", "6"), ("fault", "b: B"), ("hint", "after 1 s: the link"))
    )
    assert same(compare(one, one))
    assert compare(one, two) == [
        Change("fault", "seed", "5", "6"),
        Change("fault", "fault", "a: A", "b: B"),
        Change("fault", "hints", "0", "1"),
        Change("fault", "answers", "1", "0"),
    ]


def test_what_a_check_has_seen_is_no_step() -> None:
    entries = practice(Outcome.PASS, ("look", LOOK))
    verification = replace(entries[0], event=started("fault"))
    assert LOOK not in reports.render("markdown", [verification, *entries[1:]])
