"""JUnit, Markdown, HTML and JSON of a whole run, with what hostile servers said in it."""

import json
import re
from collections import Counter
from html.parser import HTMLParser
from xml.etree import ElementTree as Xml

import pytest

from opsconsole import reports
from opsconsole.model import EVENTS, Outcome
from tests.sample_run import OUTCOMES, RUN, ended, numbered, sample, signed, started

SUITE_ORDER = r"(properties )(testcase )*(system-out )(system-err )"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ufffe\uffff]")


def junit(entries: object = None) -> Xml.Element:
    suites = Xml.fromstring(reports.render("junit", sample() if entries is None else entries, head="ab"))  # type: ignore[arg-type]
    assert suites.tag == "testsuites"
    (suite,) = suites
    return suite


def test_junit_has_what_the_schema_asks_for() -> None:
    suite = junit()
    assert suite.tag == "testsuite"
    assert set(suite.attrib) == {
        "name", "package", "id", "timestamp", "hostname", "tests", "failures", "errors", "skipped", "time",
    }  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
    assert re.fullmatch(r"\d+\.\d+", suite.attrib["time"])
    assert re.fullmatch(SUITE_ORDER, "".join(f"{child.tag} " for child in suite))
    for case in suite.iter("testcase"):
        assert set(case.attrib) == {"name", "classname", "time"}
        assert len(case) <= 1
        for said in case:
            assert said.tag in ("failure", "error", "skipped")
            assert set(said.attrib) == {"type", "message"}


def test_junit_passes_only_what_passed() -> None:
    suite = junit()
    words = {case.attrib["name"]: case[0].tag if len(case) else "passed" for case in suite.iter("testcase")}
    assert words == {
        "scraping": "passed",
        "rules": "failure",
        "plugin": "skipped",
        "dashboard": "error",
        "thresholds": "error",
        "panels": "error",
    }
    counted = Counter(words.values())
    for attribute, word in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[attribute]) == counted[word]
    assert int(suite.attrib["tests"]) == len(OUTCOMES)
    said = suite.find("testcase[@name='thresholds']/error")
    assert said is not None
    assert said.attrib["message"] == "waits for a person: Are they right?"


def test_junit_of_a_run_that_was_cut_off_passes_nothing_that_did_not_end() -> None:
    suite = junit(list(numbered([started("a", "b"), ended("a", Outcome.PASS, "seen")])))
    said = suite.find("testcase[@name='b']/error")
    assert said is not None
    assert said.attrib["type"] == "UNFINISHED"


@pytest.mark.parametrize("format", ["junit", "markdown", "html"])
def test_a_run_without_a_beginning_makes_a_document_all_the_same(format: str) -> None:
    assert reports.render(format, [])


@pytest.mark.parametrize("format", ["junit", "markdown", "html"])
def test_no_control_character_gets_into_a_document(format: str) -> None:
    text = reports.render(format, sample())
    assert "owned" in text
    allowed = "￾" if format != "junit" else ""
    assert not CONTROL.search(text.replace(allowed, "") if allowed else text)


def test_junit_keeps_the_end_of_cdata_as_text() -> None:
    said = junit().find("testcase[@name='rules']/failure")
    assert said is not None
    assert "]]>" in (said.text or "")
    assert "�" in (said.text or "")
    assert "<script>alert(1)</script>" in (said.text or "")


def test_junit_names_run_servers_and_records() -> None:
    properties = {p.attrib["name"]: p.attrib["value"] for p in junit().iter("property")}
    assert properties == {
        "run": RUN,
        "environment": "staging",
        "servers": "prometheus 2.53.3",
        "opsconsole": "0.1.0",
        "records": "ab",
    }


def test_markdown_is_a_table_with_one_row_an_item() -> None:
    text = reports.render("markdown", sample(), head="ab")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(OUTCOMES)
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}
    assert "| ✗ | FAIL | The rules (`rules`) | 1.20 | no data |" in rows
    assert "- Cause: no data \\<- target down \\<- connection refused" in text
    assert f'`opsconsole sign-off {RUN} thresholds --pass --note "…"`' in text
    assert "- Records: `ab`" in text


def test_markdown_obeys_nothing_that_a_server_said() -> None:
    evil = "a | b\n# c <b> `d` [e](f) *g* _h_ ```"
    entries = list(numbered([started("a"), ended("a", Outcome.FAIL, evil)]))
    text = reports.render("markdown", entries)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}
    assert r"a \| b \# c \<b\> \`d\` \[e\](f) \*g\* \_h\_ \`\`\`" in rows[-1]


def test_a_fence_in_a_detail_does_not_end_its_block() -> None:
    from opsconsole.model import Finding, Found

    found = Found(item="a", finding=Finding(summary="x", detail="````\n# out?"))
    text = reports.render("markdown", numbered([started("a"), found, ended("a", Outcome.FAIL, "x")]))
    assert "  `````\n  ````\n  # out?\n  `````\n" in text


class Page(HTMLParser):
    """Collects the elements of a page, and sees that each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_one_page_that_loads_and_runs_nothing() -> None:
    text = reports.render("html", sample(), head="ab")
    page = Page(text)
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "a", "b"} & set(page.elements)
    assert page.elements["article"] == len(OUTCOMES)
    assert page.elements["details"] == 3 + 3
    assert not any(name.startswith("on") or name in ("src", "href") for name, _ in page.attributes)
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_html_says_every_outcome_in_words() -> None:
    text = reports.render("html", sample())
    for outcome in Outcome:
        assert f"</span> {outcome}</span>" in text
    assert "Cause: no data &lt;- target down &lt;- connection refused" in text


def test_html_attributes_cannot_be_broken_out_of() -> None:
    evil = '"><img src=x onerror=alert(1)>'
    page = Page(reports.render("html", numbered([started(evil), ended(evil, Outcome.FAIL, evil)])))
    assert "img" not in page.elements


@pytest.mark.parametrize("format", ["text", "markdown", "html"])
def test_a_signature_is_told_with_who_did_not_sign(format: str) -> None:
    entries = [*sample(), *numbered([signed(by_person=False)], first=len(sample()) + 1)]
    text = reports.render(format, entries)
    assert "signed as passed by configuration of lab, not by a person: as agreed" in text


def test_json_is_one_line_an_event_with_nothing_raw_in_it() -> None:
    text = reports.render("json", sample())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["kind"] for line in lines] == [type(entry.event).__name__ for entry in sample()]
    assert {line["kind"] for line in lines} <= set(EVENTS)
    assert lines[0]["event"]["environment"] == "staging"
    assert lines[8]["event"]["exchange"]["status"] == 200
    assert set(lines[0]) == {"run", "number", "at", "kind", "event"}
