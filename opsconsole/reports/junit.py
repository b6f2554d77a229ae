"""A run as JUnit XML, valid against the schema of the Apache Ant JUnit task and that of Jenkins.

One testcase an item. FAIL is a failure and SKIP is skipped; UNKNOWN, BROKEN, SIGN-OFF and an item that
never ended are errors: what was not seen, or not judged, is never a passed test.

What an alert test saw on its way stands in its testcase's system-out, which Jenkins' schema has and Ant's
has not; so does what a person did in a practice. A verification's testcases have none.
"""

import time
from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree as Xml

from opsconsole.model import Outcome
from opsconsole.reports import practice, trace
from opsconsole.reports.text import below
from opsconsole.reports.wording import UNFINISHED, left_behind, one_line, servers, verdict
from opsconsole.reports.xmltext import attribute, element_text, seconds, written
from opsconsole.runview import ItemView, RunView

_ELEMENTS = {Outcome.PASS: "", Outcome.FAIL: "failure", Outcome.SKIP: "skipped"}


def document(view: RunView, *, head: str = "") -> str:
    """The run as XML; `head` is the hash of its last entry."""
    start = view.start
    environment = one_line(start.environment) if start else "unknown"
    kinds = Counter(_element(item) for item in view.items.values())
    suites = Xml.Element("testsuites")
    suite = Xml.SubElement(
        suites,
        "testsuite",
        name=attribute(start.checklist if start else "") or "checklist",
        package=attribute(f"opsconsole.{environment}"),
        id="0",
        timestamp=time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(view.started_at)),
        hostname=attribute(start.host if start else "") or "localhost",
        tests=str(len(view.items)),
        failures=str(kinds["failure"]),
        errors=str(kinds["error"]),
        skipped=str(kinds["skipped"]),
        time=seconds(view.finished.seconds if view.finished else view.last_at - view.started_at),
    )
    _properties(suite, view, head)
    for item in view.items.values():
        case = _testcase(suite, item, environment, start.run if start else "")
        if told := "\n".join([*_trace(item), *practice.steps(view, item)]):
            Xml.SubElement(case, "system-out").text = element_text(told)
    Xml.SubElement(suite, "system-out").text = element_text(verdict(view))
    Xml.SubElement(suite, "system-err").text = element_text("\n".join(left_behind(view)))
    return written(suites)


def _properties(suite: Xml.Element, view: RunView, head: str) -> None:
    properties = Xml.SubElement(suite, "properties")
    start = view.start
    known = {
        "run": start.run if start else "",
        "environment": start.environment if start else "",
        "servers": servers(view),
        "opsconsole": start.versions.get("opsconsole", "") if start else "",
        "records": head,
    }
    for name, value in known.items():
        if value:
            Xml.SubElement(properties, "property", name=name, value=attribute(value))


def _testcase(suite: Xml.Element, item: ItemView, environment: str, run: str) -> Xml.Element:
    case = Xml.SubElement(
        suite,
        "testcase",
        name=attribute(item.summary.id),
        classname=attribute(f"opsconsole.{environment}.{item.summary.section}".rstrip(".")),
        time=seconds(item.seconds),
    )
    if element := _element(item):
        message = {None: UNFINISHED, Outcome.SIGN_OFF: f"waits for a person: {item.question}"}
        said = Xml.SubElement(
            case,
            element,
            type=str(item.outcome or "UNFINISHED"),
            message=attribute(message.get(item.outcome, item.text)),
        )
        said.text = element_text("\n".join("  " * (depth - 1) + line for depth, line in below(item, run)))
    return case


def _trace(item: ItemView) -> Iterator[str]:
    """The plan, the hops and the value of an alert that was tested; nothing of any other item."""
    if item.plan:
        yield from (f"{label}: {said}" for label, said in trace.plan_rows(item.plan))
    for row in trace.stations(item):
        since = f"+{trace.after(row.after_cause_seconds)} " if row.after_cause_seconds is not None else ""
        yield f"{since}{row.hop}: {row.said}"
    if item.missed:
        yield from trace.below_missed(item.missed)
    if held := trace.readings(item):
        yield f"value: {held}"


def _element(item: ItemView) -> str:
    return "error" if item.outcome is None else _ELEMENTS.get(item.outcome, "error")
