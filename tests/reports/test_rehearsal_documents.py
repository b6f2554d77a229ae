"""A rehearsal as plain lines, JSON, JUnit and SARIF: whole, valid, and not to be fooled by what files say."""

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as Xml

import pytest

from opsconsole import content
from opsconsole.rehearse.model import Reason, Verdict, Word
from opsconsole.rehearse.reasons import KINDS, WARNINGS
from opsconsole.reports.rehearsal import FORMATS, Setting, render
from opsconsole.reports.rehearsal.remedies import REMEDIES
from opsconsole.reports.rehearsal.text import details
from opsconsole.reports.rehearsal.wording import marked, summary
from tests import sample_rehearsal as sample

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
LEVELS = {"dead": "error", "unfed": "error", "never": "error", "error": "error", "undecided": "note"}


def document(format: str, *verdicts: Verdict, root: Path | None = None) -> str:
    setting = Setting(at=1_700_000_000.0, root=root or Path.cwd())
    return render(format, sample.rehearsal(*(verdicts or sample.EVERY)), setting)


def sarif(*verdicts: Verdict, root: Path | None = None) -> dict[str, Any]:
    (run,) = json.loads(document("sarif", *verdicts, root=root))["runs"]
    return dict(run)


def test_plain_is_one_line_each_that_begins_with_verdict_and_name() -> None:
    lines = document("plain").splitlines()
    assert len(lines) == len(sample.EVERY)
    for line, verdict in zip(lines, sample.EVERY, strict=True):
        assert line.startswith(f"{verdict.word} ")
    assert lines[:4] == [
        "alive PaymentFailuresHigh  28 of 100 payments failed for 15 minutes | "
        'not seen yet: status="failed" was not seen yet',
        "dead ShareTooHigh  a part of a whole is never above 1 | instead: a threshold below 1 | "
        "guess: that every failed is one of all | warning: division-by-nothing: NaN where nothing comes; "
        "instead: sum(rate(all[5m])) > 0 | at rules/billing.yml:21",
        "unfed QueueLong  queue_length is exported by nobody | at rules/grün 100%.yml:3",
        "undecided Odd  12 incidents did not fire it",
    ]
    assert lines[5] == "data Payments by plan"


def test_the_summary_counts_in_the_order_of_the_words_and_says_what_it_comes_to() -> None:
    assert summary(sample.rehearsal(*sample.EVERY)) == (
        "1 alive, 2 dead, 1 unfed, 1 undecided, 1 data, 1 quiet, 1 never, 1 error in 1.25 s "
        "with promtool 3.5.3, 96 MiB at most: "
        "something can never fire, can never show data, or fails (exit 1)"
    )
    assert "nothing to rehearse" in summary(sample.rehearsal())


@pytest.mark.parametrize("format", FORMATS)
def test_no_control_character_and_no_secret_gets_into_a_document(format: str) -> None:
    text = document(format)
    assert not CONTROL.search(text)
    assert "live_abcdefgh12345" not in text
    text.encode()


def test_json_has_every_verdict_with_its_reasons_and_its_witness() -> None:
    whole = json.loads(document("json"))
    assert list(whole) == [
        "format", "opsconsole", "promtool", "schema", "seconds", "peak_bytes", "exit_code", "counts",
        "verdicts",
    ]  # fmt: skip
    assert (whole["exit_code"], whole["counts"]["dead"]) == (1, 2)
    alive, dead, *_ = whole["verdicts"]
    assert alive["witness"]["story"] == sample.WITNESS.incident.story
    assert alive["witness"]["firing_at"] == 1560.0
    assert alive["witness"]["test"] == sample.WITNESS.test
    assert (alive["for_seconds"], alive["because"]) == (900.0, sample.WITNESS.incident.story)
    assert dead["witness"] is None
    assert dead["reasons"] == [
        {
            "kind": "out-of-range",
            "summary": "a part of a whole is never above 1",
            "guilty": "sum(rate(failed{}[5m])) / sum(rate(all{}[5m]))",
            "nth": 0,
            "correction": "a threshold below 1",
            "guess": "that every failed is one of all",
        }
    ]
    assert {frozenset(verdict) for verdict in whole["verdicts"]} == {frozenset(alive)}


def test_junit_has_what_the_schema_asks_for_and_passes_only_what_can_fire_or_show_data() -> None:
    (suite,) = Xml.fromstring(document("junit"))
    assert set(suite.attrib) == {
        "name", "package", "id", "timestamp", "hostname", "tests", "failures", "errors", "skipped", "time",
    }  # fmt: skip
    words = [case[0].tag if len(case) else "" for case in suite.iter("testcase")]
    assert words == [
        "system-out", "failure", "failure", "error", "failure", "", "", "failure", "failure"
    ]  # fmt: skip
    counted = Counter(words)
    assert [suite.attrib[key] for key in ("tests", "failures", "errors")] == [
        str(len(words)), str(counted["failure"]), str(counted["error"]),
    ]  # fmt: skip
    for case in suite.iter("testcase"):
        assert set(case.attrib) == {"name", "classname", "time"}
    dead = suite.find("testcase[@name='ShareTooHigh']/failure")
    assert dead is not None
    assert (dead.attrib["type"], dead.attrib["message"]) == ("dead", "a part of a whole is never above 1")
    assert "^^^" in (dead.text or "")
    assert [child.tag for child in suite if child.tag != "testcase"] == [
        "properties",
        "system-out",
        "system-err",
    ]


def test_the_guilty_part_is_underlined_in_the_expression_on_one_line() -> None:
    lines = details(sample.DEAD).splitlines()
    shown = lines.index(f"    {sample.RATIO}")
    under = lines[shown + 1]
    assert [under.index("^"), under.count("^")] == [4, sample.RATIO.index(" > ")]


@pytest.mark.parametrize(
    ("nth", "marks"),
    [
        (0, ("", "up + up", " + up")),
        (1, ("up + ", "up + up", "")),
        (2, None),
    ],
    ids=["first", "second, overlapping", "none"],
)
def test_an_occurrence_is_counted_as_places_counts_it(nth: int, marks: tuple[str, str, str] | None) -> None:
    reason = Reason(kind="no-label", summary="", guilty="up{} + up{}", nth=nth)
    verdict = Verdict(subject="a", kind="alert", word=Word.DEAD, expr="up + up + up", reasons=(reason,))
    assert marked(verdict, reason) == marks


def test_the_guilty_part_of_a_panel_is_found_in_the_query_that_has_it() -> None:
    found = marked(sample.NEVER, sample.NEVER.reasons[0])
    assert found
    assert "".join(found) == 'sum by (plan)(rate(a_total{plan="x"}[5m])) and on (pod) rate(a_total[5m]) > 0'


def test_what_is_no_promql_is_told_without_a_mark() -> None:
    assert details(sample.ERROR).splitlines() == ["error Broken", "unexpected end of input"]


def test_sarif_has_a_result_for_each_reason_warning_and_undecided_and_no_other() -> None:
    run = sarif()
    told = [(result["ruleId"], result["level"], result["properties"]["verdict"]) for result in run["results"]]
    assert told == [
        ("out-of-range", "error", "dead"),
        ("division-by-nothing", "warning", "dead"),
        ("no-metric", "error", "unfed"),
        ("undecided", "note", "undecided"),
        ("no-label", "error", "dead"),
        ("label-aggregated-away", "error", "never"),
        ("not-promql", "error", "error"),
    ]
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]
    assert sarif(sample.ALIVE, sample.DATA)["results"] == []


def test_sarif_results_lead_to_their_rules_and_rules_have_a_help_text() -> None:
    run = sarif()
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert rules[result["ruleIndex"]]["defaultConfiguration"]["level"] == result["level"]
    assert [rule["id"] for rule in rules] == [*KINDS, *WARNINGS, "undecided"]
    assert all(rule["shortDescription"]["text"].endswith(".") and rule["help"]["text"] for rule in rules)
    assert set(REMEDIES) == {*KINDS, *WARNINGS, "undecided"}


def test_sarif_places_are_relative_to_the_root_and_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    places = [
        result["locations"][0].get("physicalLocation")
        for result in sarif(sample.UNFED, sample.HOSTILE, sample.NEVER, sample.UNDECIDED, root=tmp_path)[
            "results"
        ]
    ]
    uris = [place and place["artifactLocation"]["uri"] for place in places]
    assert uris == [
        "sub/rules/gr%C3%BCn%20100%25.yml", "sub/rules/%E9.yml", "sub/dashboards/billing.json", None,
    ]  # fmt: skip
    assert unquote(uris[0]) == "sub/rules/grün 100%.yml"
    assert [place["region"] for place in places[:3]] == [
        {"startLine": 3},
        {"startLine": 1},
        {"startLine": 120},
    ]
    (outside,) = sarif(sample.UNFED, root=tmp_path / "elsewhere")["results"]
    uri = outside["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == (tmp_path / "sub/rules/grün 100%.yml").as_uri()


def test_sarif_fingerprints_stay_when_lines_move_and_differ_within_a_run() -> None:
    def prints(*verdicts: Verdict) -> list[str]:
        return [
            result["partialFingerprints"]["opsconsoleRehearse/v1"] for result in sarif(*verdicts)["results"]
        ]

    moved = replace(sample.UNFED, line=99)
    assert prints(sample.UNFED) == prints(moved)
    assert len(set(prints(sample.UNFED, moved, sample.DEAD))) == 4


def test_a_document_loads_neither_the_screen_nor_a_client() -> None:
    code = (
        "import sys; import opsconsole.reports.rehearsal.sarif, opsconsole.reports.rehearsal.junit;"
        "print(sorted({'textual', 'httpx', 'rich'} & {name.partition('.')[0] for name in sys.modules}))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout == "[]\n"


def test_the_runbook_page_says_what_each_reason_and_warning_means_and_what_to_do() -> None:
    page = content.runbook("alert-cannot-fire") or ""
    for kind, meaning in {**KINDS, **WARNINGS}.items():
        assert f"| `{kind}` | {meaning} | {REMEDIES[kind]} |" in page
