"""JUnit, Markdown and HTML of an alert test, with what hostile servers said in it."""

import re
from xml.etree import ElementTree as Xml

import pytest

from opsconsole import reports
from opsconsole.model import AlertPlan, Event, ItemStarted, Outcome, Planned
from opsconsole.reports import chart
from opsconsole.runview import ItemView, RunView
from tests.reports.test_documents import CONTROL, Page
from tests.sample_run import (
    CREDITS,
    HIGH,
    HOSTILE,
    STALLED,
    WEBHOOKS,
    drill,
    ended,
    numbered,
    reading,
    sample,
    started,
)

HELD = (
    "highest 0.118 (threshold 0.1, ceiling 0.25), over it in 2 of 3 readings; "
    "420 requests, 30 of them passing; the fewest: 300"
)


def cases() -> dict[str, Xml.Element]:
    suites = Xml.fromstring(reports.render("junit", drill()))
    return {case.attrib["name"]: case for case in suites.iter("testcase")}


def test_junit_has_a_testcase_an_alert_with_its_hops_beside_what_failed() -> None:
    told = {name: [element.tag for element in case] for name, case in cases().items()}
    assert told == {
        HIGH: ["system-out"],
        WEBHOOKS: ["failure", "system-out"],
        STALLED: ["error", "system-out"],
        CREDITS: ["error"],
        "SubscriptionCancellationRateHigh": ["skipped"],
    }
    lines = (cases()[HIGH].findtext("system-out") or "").splitlines()
    assert lines[0].startswith("rule: sum(rate(failed[5m]))")
    assert "+15 min 15 s firing: firing" in lines
    assert lines[-1] == f"value: {HELD}"
    stopped = cases()[WEBHOOKS].findtext("system-out") or ""
    assert "cause: stopped here, because" in stopped
    assert "looked at its log" in stopped


def test_markdown_has_the_plan_and_a_row_a_hop() -> None:
    text = reports.render("markdown", drill())
    section = text[text.index(f"## PASS: The {HIGH}") : text.index(f"## FAIL: The {WEBHOOKS}")]
    assert "- rate: 12 at once, then 0.4 a second for 15 min 30 s: about 384 requests" in section
    rows = [line for line in section.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 12
    assert "| steady | 2026-11-22 17:16:01 UTC |  | inactive, scraped 3 s ago, the way is clear |" in rows
    assert "| pending | 2026-11-22 17:16:17 UTC | 15.0 s | pending since 17:16:17 |" in rows
    assert f"- Value: {HELD}" in section
    assert "- CANNOT: nothing can pause the webhooks here\n- to do: watch it\n" in text
    hostile = [line for line in text.splitlines() if line.startswith(("| steady", "| cause"))]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows + hostile} == {5}
    assert not re.search(r"(?<!\\)<", text)


def test_html_has_the_plan_the_trace_and_a_chart() -> None:
    text = reports.render("html", drill())
    page = Page(text)
    assert page.open == []
    assert (page.elements["svg"], page.elements["table"]) == (1, 2)
    assert not {"script", "link", "img", "iframe", "a", "b"} & set(page.elements)
    assert not any(name.startswith("on") or name in ("src", "href") for name, _ in page.attributes)
    assert "<dt>notifies</dt><dd>admin@rsolv.dev, alerts@rsolv.dev</dd>" in text
    row = "<tr><th>pending</th><td>2026-11-22 17:16:17 UTC</td><td>15.0 s</td><td>pending since 17:16:17</td>"
    assert row in text
    assert '<tr class="missed"><th>cause</th><td></td><td></td><td>stopped here, because' in text
    assert f"<figcaption>{HELD}</figcaption>" in text


@pytest.mark.parametrize("format", ["junit", "markdown", "html"])
def test_what_was_left_in_effect_is_said(format: str) -> None:
    said = "STILL IN EFFECT: webhooks are paused; to take it back: opsconsole cleanup"
    assert said in reports.render(format, drill())
    assert "STILL IN EFFECT" not in reports.render(format, sample())


@pytest.mark.parametrize("format", ["junit", "markdown", "html"])
def test_nothing_that_a_server_said_is_obeyed(format: str) -> None:
    text = reports.render(format, drill())
    assert "owned" in text
    assert HOSTILE not in text
    assert not CONTROL.search(text.replace("￾", "") if format != "junit" else text)


@pytest.mark.parametrize("format", ["text", "junit", "markdown", "html"])
def test_a_verification_has_nothing_of_it(format: str) -> None:
    text = reports.render(format, sample())
    assert not any(word in text for word in ("<svg", "<table", "testcase><system-out", "Hop", "Plan"))


def item(*values: float | None, plan: AlertPlan | None = None) -> ItemView:
    events: list[Event] = [started("a", kind="alert-test"), ItemStarted(item="a")]
    if plan:
        events.insert(1, Planned(item="a", plan=plan))
    events += [reading("a", value, sent) for sent, value in enumerate(values)]
    return RunView.of(numbered([*events, ended("a", Outcome.PASS, "seen")])).items["a"]


def lines(view: ItemView) -> list[str]:
    svg = Xml.fromstring(chart.svg(view))
    return [line.attrib["points"] for line in svg.iter("polyline")]


def test_a_chart_is_drawn_from_the_first_reading_to_the_last() -> None:
    assert lines(item(0.0, 1.0)) == ["8.0,140.0 592.0,30.4"]


def test_a_line_is_broken_where_there_was_no_value() -> None:
    assert [len(points.split()) for points in lines(item(1.0, 1.0, None, 1.0, float("inf")))] == [2, 1]


@pytest.mark.parametrize(
    "values",
    [(), (1.0,), (None, None), (0.0, 0.0), (-1.0, -2.0), (float("nan"), float("inf")), (1e300, 1e-300)],
    ids=["none", "one", "no value", "zero", "below zero", "no number", "far apart"],
)
def test_a_chart_of_anything_is_xml_or_nothing(values: tuple[float | None, ...]) -> None:
    plan = AlertPlan(alert="a", op=">", threshold=float("inf"), ceiling=0.0)
    drawn = chart.svg(item(*values, plan=plan))
    assert bool(drawn) is (len(values) > 1)
    if drawn:
        Xml.fromstring(drawn)
        assert "nan" not in re.sub('aria-label="[^"]*"', "", drawn)
