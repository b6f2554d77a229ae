"""A rehearsal as JUnit XML, valid against the schema of the Apache Ant JUnit task and that of Jenkins.

One testcase an alert or panel. Dead, unfed, never and error are failures; undecided is an error: what could
not be decided is never a passed test. Warnings, and the incident that fires an alert, stand in the testcase's
system-out, which Jenkins' schema has and Ant's has not.
"""

import time
from collections import Counter
from pathlib import PurePath
from xml.etree import ElementTree as Xml

from opsconsole.rehearse.model import BAD, Rehearsal, Verdict, Word
from opsconsole.reports.rehearsal import Setting
from opsconsole.reports.rehearsal.text import details
from opsconsole.reports.rehearsal.wording import name, said, summary
from opsconsole.reports.xmltext import attribute, element_text, seconds, written


def document(rehearsal: Rehearsal, setting: Setting) -> str:
    """The rehearsal as XML."""
    kinds = Counter(_element(verdict) for verdict in rehearsal.verdicts)
    suites = Xml.Element("testsuites")
    suite = Xml.SubElement(
        suites,
        "testsuite",
        name="rehearsal",
        package="opsconsole.rehearse",
        id="0",
        timestamp=time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(setting.at)),
        hostname="localhost",
        tests=str(len(rehearsal.verdicts)),
        failures=str(kinds["failure"]),
        errors=str(kinds["error"]),
        skipped="0",
        time=seconds(rehearsal.seconds),
    )
    _properties(suite, rehearsal)
    for verdict in rehearsal.verdicts:
        _testcase(suite, verdict)
    Xml.SubElement(suite, "system-out").text = element_text(summary(rehearsal))
    Xml.SubElement(suite, "system-err")
    return written(suites)


def _properties(suite: Xml.Element, rehearsal: Rehearsal) -> None:
    properties = Xml.SubElement(suite, "properties")
    for name_, value in (("schema", rehearsal.schema), ("promtool", rehearsal.promtool_version)):
        if value:
            Xml.SubElement(properties, "property", name=name_, value=attribute(value))


def _testcase(suite: Xml.Element, verdict: Verdict) -> None:
    within = verdict.group or PurePath(verdict.file).stem
    case = Xml.SubElement(
        suite,
        "testcase",
        name=attribute(name(verdict)),
        classname=attribute(f"opsconsole.rehearse.{verdict.kind}.{within}".rstrip(".")),
        time=seconds(0.0),
    )
    if element := _element(verdict):
        told = Xml.SubElement(case, element, type=verdict.word, message=attribute(said(verdict)))
        told.text = element_text(details(verdict))
    elif verdict.warnings or verdict.witness:
        Xml.SubElement(case, "system-out").text = element_text(details(verdict))


def _element(verdict: Verdict) -> str:
    if verdict.word in BAD:
        return "failure"
    return "error" if verdict.word is Word.UNDECIDED else ""
