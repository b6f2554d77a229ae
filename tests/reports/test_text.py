"""The plain lines that a person reads, live or from the records."""

import io
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from opsconsole import reports
from opsconsole.model import (
    EffectBegun,
    Entry,
    Event,
    Finding,
    Found,
    ItemStarted,
    Outcome,
    RunResumed,
    Waiting,
)
from opsconsole.reports.text import TextReport
from tests.sample_run import HOSTILE, RUN, ended, numbered, sample, signed, started


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(events: Sequence[Event], stream: io.StringIO | None = None, *, evidence: bool = False) -> str:
    stream = stream or io.StringIO()
    report = TextReport(stream, evidence=evidence)
    for entry in numbered(events):
        report(entry)
    report.close()
    return stream.getvalue()


def finish() -> Event:
    return sample()[-1].event


SAMPLE = """\
opsconsole 0.1.0, environment staging (effects allowed), run 20261122-1716-7k3q
PASS      scraping     0.31 s  1 target is up, 5 families are fresh
FAIL      rules        1.20 s  no data
    BillingPaymentFailureRateHigh: its expression is not the reference's
        --- reference
        +++ running
        - rate > 0.10
        + rate > 0.20
        to do: deploy the reference rules and reload Prometheus
    cause: no data <- target down <- connection refused
    looked at target_is_up: FAIL, target down
    looked at service_answers: UNKNOWN, connection refused
    looked at prometheus_answers: PASS, ready
    runbook: rules_check
SKIP      plugin       0.50 s  there is no cluster here
UNKNOWN   dashboard    0.50 s  grafana http://127.0.0.1:3000: connection refused
    runbook: dashboard_check
SIGN-OFF  thresholds   0.50 s  7 alerts judged over 15 days
    question: Are they right?
    to sign, with --pass or --fail:
        opsconsole sign-off 20261122-1716-7k3q thresholds --pass --note "…"
BROKEN    panels       0.50 s  a defect of the check, panels.py:12: KeyError: 'x'
    runbook: panels_check
Servers: prometheus 2.53.3
Records: 0123abcd
1 PASS, 1 FAIL, 1 SKIP, 1 UNKNOWN, 1 SIGN-OFF, 1 BROKEN in 4.20 s: something failed (exit 1)
"""


def test_a_run_as_a_person_reads_it() -> None:
    tame = [e for e in sample() if not (isinstance(e.event, Found) and e.event.finding.subject == "Evil")]
    assert reports.render("text", tame, head="0123abcd") == SAMPLE


def test_each_item_is_shown_as_it_ends() -> None:
    stream = io.StringIO()
    report = TextReport(stream)
    lines = []
    for entry in numbered([started("a", "b"), ItemStarted(item="a"), ended("a", Outcome.PASS, "seen")]):
        report(entry)
        lines.append(len(stream.getvalue().splitlines()))
    assert lines == [1, 1, 2]


def test_nothing_of_what_a_server_said_reaches_the_terminal_as_a_command() -> None:
    text = reports.render("text", sample()) + shown([e.event for e in sample()], Terminal(), evidence=True)
    coloured = re.sub(r"(?m)^\x1b\[[0-9;]+m[A-Z-]+\x1b\[0m", "", text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", coloured)
    assert r"\x1b]0;owned\x07\x9b31m" in text
    assert r"\u202egnp" in text


def test_what_a_server_said_cannot_pose_as_the_outcome_of_an_item() -> None:
    evil = "x\nPASS      rules        0.10 s  all well\rPASS"
    text = shown(
        [
            started("rules"),
            Found(item="rules", finding=Finding(subject=evil, summary=evil, detail=evil, remedy=evil)),
            ended("rules", Outcome.FAIL, evil),
        ]
    )
    assert re.findall("(?m)^[A-Z-]+ ", text) == ["FAIL "]


def test_an_item_that_its_configuration_signs_is_one_line() -> None:
    text = shown(
        [
            started("thresholds"),
            ended("thresholds", Outcome.SIGN_OFF, "7 judged", question="Right?"),
            signed(by_person=False),
            finish(),
        ]
    )
    assert "SIGN-OFF" not in text
    said = "7 judged; signed as passed by configuration of lab, not by a person: as agreed"
    assert f"PASS      thresholds   0.50 s  {said}\n" in text
    assert text.endswith("1 PASS in 4.20 s: all passed or were skipped for a reason (exit 0)\n")


def test_a_sign_off_after_the_end_is_shown_with_what_the_run_comes_to_then() -> None:
    waits = ended("thresholds", Outcome.SIGN_OFF, "7 judged")
    text = shown([started("thresholds"), waits, finish(), signed(passed=False)])
    last = text.splitlines()[-3:]
    assert last[0].endswith("nothing failed, but something is unknown, broken or unsigned (exit 3)")
    assert last[1] == "FAIL      thresholds   0.50 s  signed as failed by ada: as agreed"
    assert last[2] == "1 FAIL in 4.20 s: something failed (exit 1)"


def test_each_summary_names_the_hash_of_its_own_last_entry() -> None:
    stream = io.StringIO()
    report = TextReport(stream, hash_of=lambda entry: f"hash of {entry.number}")
    for entry in numbered([started("thresholds"), finish(), signed()]):
        report(entry)
    report.close()
    assert re.findall("Records: (.*)", stream.getvalue()) == ["hash of 2", "hash of 3"]


def test_a_run_that_was_cut_off_says_so_and_passes_nothing() -> None:
    text = shown(
        [
            started("a", "b", "c"),
            ended("a", Outcome.PASS, "seen"),
            RunResumed(who="ada", host="console"),
            ItemStarted(item="b"),
            Waiting(item="b", what="the mail", within_seconds=30.0),
            Found(item="b", finding=Finding(summary="the relay refuses")),
        ]
    )
    resumed = text.splitlines().index("Resumed by ada on console")
    assert text.splitlines()[resumed + 1 :] == [
        "cut off   b           no outcome was recorded; it was waiting for the mail",
        "    the relay refuses",
        "not run   c",
        "1 PASS, 2 not finished: not finished: cut off, or still going on",
    ]


def test_an_item_that_was_cut_off_when_it_ran_again_has_no_outcome() -> None:
    text = shown([started("a"), ended("a", Outcome.PASS, "seen"), finish(), ItemStarted(item="a")])
    assert text.splitlines()[-2:] == [
        "cut off   a           no outcome was recorded",
        "1 not finished: not finished: cut off, or still going on",
    ]


def test_a_sign_off_that_waits_is_shown_even_where_the_run_was_cut_off() -> None:
    assert "SIGN-OFF  a" in shown([started("a"), ended("a", Outcome.SIGN_OFF, "judge", question="Right?")])


def test_an_effect_whose_end_was_not_seen_is_named_at_the_end() -> None:
    effect = EffectBegun(item="a", effect="e", what="a test alert was posted", undo="silence it")
    text = shown([started("a"), effect, ended("a", Outcome.PASS, "seen"), finish()])
    assert "STILL IN EFFECT: a test alert was posted; to take it back: silence it\n" in text


def test_a_protected_environment_is_said_in_the_first_line() -> None:
    start = started("a", environment="production")
    text = shown([replace(start, protected=True, effects=False)])
    assert "environment production (PROTECTED, nothing is changed)" in text.splitlines()[0]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


LONG: list[Event] = [started("scraping"), ended("scraping", Outcome.PASS, "word " * 30), finish()]


@pytest.mark.usefixtures("narrow")
def test_a_terminal_gets_colour_on_the_outcome_word_and_lines_that_fit() -> None:
    text = shown(LONG, Terminal())
    assert "\x1b[32mPASS\x1b[0m      scraping" in text
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in text.splitlines()]
    assert max(map(len, lines)) <= 60
    assert any(line.startswith(" " * 20 + "word") or line.strip().startswith("word") for line in lines)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert "\x1b" not in shown(LONG, Terminal())


@pytest.mark.usefixtures("narrow")
def test_a_pipe_gets_neither() -> None:
    text = shown(LONG)
    assert "\x1b" not in text
    assert "word " * 29 in text


@pytest.mark.usefixtures("narrow")
def test_what_may_be_copied_is_never_wrapped() -> None:
    waits = ended("a-long-name", Outcome.SIGN_OFF, "judge", question="Right?")
    events: list[Event] = [started("a-long-name"), waits]
    assert f'opsconsole sign-off {RUN} a-long-name --pass --note "…"\n' in shown(events, Terminal())


def test_a_stream_that_cannot_write_everything_gets_the_rest_escaped() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    report = TextReport(stream)
    for entry in numbered([started("a"), ended("a", Outcome.PASS, "é…")]):
        report(entry)
    assert rb"\xe9\u2026" in raw.getvalue()


def test_evidence_shows_every_request_as_a_curl_line_with_what_came() -> None:
    text = shown([e.event for e in sample()], evidence=True)
    assert "    seen: rsolv-platform: 1 target is up\n" in text
    assert "    x1 prometheus: GET http://127.0.0.1:9090/api/v1/targets -> 200, 20 bytes, 0.01 s\n" in text
    line = """curl -sS -H 'authorization: Bearer '"$PROM_TOKEN" http://127.0.0.1:9090/api/v1/targets"""
    assert f"        {line}\n" in text
    assert "x3 prometheus: GET http://127.0.0.1:9090/api/v1/targets -> connection refused\n" in text


def test_the_same_entries_give_the_same_text() -> None:
    entries: list[Entry] = sample()
    for format in reports.FORMATS:
        assert reports.render(format, entries) == reports.render(format, sample())
    assert HOSTILE not in reports.render("text", entries)
