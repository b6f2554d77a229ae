"""A rehearsal as SARIF 2.1.0, for code review: a result for each reason and warning, none for what is well.

Dead, unfed, never and error are errors, warnings are warnings, undecided is a note. Places are those of the
expressions in their files, relative to the root of the checkout.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from opsconsole import __version__
from opsconsole.rehearse.model import BAD, Reason, Rehearsal, Verdict, Warned, Word, exit_code
from opsconsole.rehearse.reasons import KINDS, WARNINGS
from opsconsole.reports.json import escaped
from opsconsole.reports.rehearsal import Setting
from opsconsole.reports.rehearsal.remedies import REMEDIES
from opsconsole.reports.rehearsal.wording import guessed, name, said, sentence
from opsconsole.reports.wording import clean, one_line

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
UNDECIDED = "undecided"
_RULES = {
    **{kind: (meaning, "error") for kind, meaning in KINDS.items()},
    **{kind: (meaning, "warning") for kind, meaning in WARNINGS.items()},
    UNDECIDED: ("it could not be decided whether it can fire or show data", "note"),
}
_INDEX = {kind: index for index, kind in enumerate(_RULES)}

Result = dict[str, Any]


def document(rehearsal: Rehearsal, setting: Setting) -> str:
    """The rehearsal as a SARIF log of one run."""
    driver = {
        "name": "opsconsole",
        "semanticVersion": __version__,
        "rules": [_rule(kind, meaning, level) for kind, (meaning, level) in _RULES.items()],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True, "exitCode": exit_code(rehearsal)}],
        "results": _numbered(
            result for verdict in rehearsal.verdicts for result in _results(verdict, setting.root)
        ),
        "properties": {"schema": clean(rehearsal.schema), "promtool": clean(rehearsal.promtool_version)},
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return escaped(json.dumps(log, indent=2, ensure_ascii=False)) + "\n"


def _rule(kind: str, meaning: str, level: str) -> dict[str, Any]:
    remedy = REMEDIES.get(kind, meaning)
    return {
        "id": kind,
        "name": kind.title().replace("-", ""),
        "shortDescription": {"text": f"{meaning[0].upper()}{meaning[1:]}."},
        "help": {"text": remedy.replace("`", ""), "markdown": remedy},
        "defaultConfiguration": {"level": level},
    }


def _results(verdict: Verdict, root: Path) -> Iterator[Result]:
    if verdict.word in BAD:
        for reason in verdict.reasons or (Reason(kind="always-empty", summary=verdict.because),):
            yield _result(verdict, reason.kind, reason, "error", root)
    if verdict.word is Word.UNDECIDED:
        yield _result(verdict, UNDECIDED, Reason(kind=UNDECIDED, summary=said(verdict)), "note", root)
    for warned in verdict.warnings:
        yield _result(verdict, warned.kind, warned, "warning", root)


def _result(verdict: Verdict, rule: str, part: Reason | Warned, level: str, root: Path) -> Result:
    result: Result = {
        "ruleId": rule,
        "level": level,
        "message": {"text": _message(verdict, part)},
        "locations": [_location(verdict, root)],
        "partialFingerprints": {"opsconsoleRehearse/v1": _fingerprint(verdict, rule, part)},
        "properties": {"verdict": str(verdict.word)},
    }
    if rule in _INDEX:
        result["ruleIndex"] = _INDEX[rule]
    return result


def _message(verdict: Verdict, part: Reason | Warned) -> str:
    told = [f"{name(verdict)} is {verdict.word}: {sentence(part.summary)}"]
    if part.guilty:
        told.append(f"In the expression: {sentence(part.guilty)}")
    if part.correction:
        told.append(f"Instead: {sentence(part.correction)}")
    if isinstance(part, Reason) and (guess := part.guess or guessed(verdict)):
        told.append(f"This rests on a guess: {one_line(guess)}")
    return "\n".join(told)


def _location(verdict: Verdict, root: Path) -> dict[str, Any]:
    within = f"{one_line(verdict.group)}/" if verdict.group else ""
    location: dict[str, Any] = {
        "logicalLocations": [
            {"name": name(verdict), "fullyQualifiedName": f"{within}{name(verdict)}", "kind": "member"}
        ]
    }
    if verdict.file:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": _uri(verdict.file, root)},
            "region": {"startLine": max(1, verdict.line)},
        }
    return location


def _uri(file: str, root: Path) -> str:
    """Relative to the root where the file is below it, else absolute."""
    path = Path(file).resolve()
    if path.is_relative_to(root):
        return quote(os.fsencode(path.relative_to(root)))
    return path.as_uri()


def _fingerprint(verdict: Verdict, rule: str, part: Reason | Warned) -> str:
    """The same for the same fault, wherever in its file it stands and however it is worded."""
    known = (rule, verdict.kind, verdict.group, verdict.subject, part.guilty, str(part.nth))
    return hashlib.sha256("\0".join(known).encode(errors="backslashreplace")).hexdigest()[:32]


def _numbered(results: Iterator[Result]) -> list[Result]:
    """Results of the same fingerprint, told apart by their order."""
    seen: Counter[str] = Counter()
    numbered = []
    for result in results:
        fingerprints = result["partialFingerprints"]
        for key, value in fingerprints.items():
            seen[value] += 1
            fingerprints[key] = f"{value}:{seen[value]}"
        numbered.append(result)
    return numbered
