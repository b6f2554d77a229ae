"""A rehearsal as one JSON document. Keys are only ever added; `format` changes where one is taken away.

`verdicts` are in the order of the rules and dashboards. Times within a witness are seconds from the beginning
of its incident; `test` and `rules` are the two files of a promtool unit test, as --write-tests writes them.
"""

import json
from collections import Counter
from typing import Any

from opsconsole import __version__
from opsconsole.rehearse.model import Reason, Rehearsal, Verdict, Warned, Witness, exit_code
from opsconsole.reports.json import escaped
from opsconsole.reports.rehearsal import Setting
from opsconsole.reports.rehearsal.wording import guessed

FORMAT = 1


def document(rehearsal: Rehearsal, setting: Setting) -> str:
    """The whole rehearsal, indented."""
    whole = {
        "format": FORMAT,
        "opsconsole": __version__,
        "promtool": rehearsal.promtool_version,
        "schema": rehearsal.schema,
        "seconds": round(rehearsal.seconds, 3),
        "peak_bytes": rehearsal.peak_bytes,
        "exit_code": exit_code(rehearsal),
        "counts": Counter(str(verdict.word) for verdict in rehearsal.verdicts),
        "verdicts": [_verdict(verdict) for verdict in rehearsal.verdicts],
    }
    return escaped(json.dumps(whole, indent=2, ensure_ascii=False)) + "\n"


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "verdict": str(verdict.word),
        "name": verdict.subject,
        "kind": verdict.kind,
        "because": verdict.because,
        "guess": guessed(verdict),
        "group": verdict.group,
        "file": verdict.file,
        "line": verdict.line,
        "expr": verdict.expr,
        "for_seconds": verdict.rule.for_seconds if verdict.rule else 0.0,
        "labels": dict(verdict.rule.labels) if verdict.rule else {},
        "reasons": [{**_part(reason), "guess": reason.guess} for reason in verdict.reasons],
        "warnings": [_part(warned) for warned in verdict.warnings],
        "tried": verdict.tried,
        "witness": _witness(verdict.witness) if verdict.witness else None,
    }


def _part(part: Reason | Warned) -> dict[str, Any]:
    return {
        "kind": part.kind,
        "summary": part.summary,
        "guilty": part.guilty,
        "nth": part.nth,
        "correction": part.correction,
    }


def _witness(witness: Witness) -> dict[str, Any]:
    return {
        "story": witness.incident.story,
        "not_seen_yet": list(witness.incident.brought),
        "before_seconds": witness.incident.before_seconds,
        "during_seconds": witness.incident.during_seconds,
        "after_seconds": witness.incident.after_seconds,
        "pending_at": witness.fired.pending_at,
        "firing_at": witness.fired.firing_at,
        "resolved_at": witness.fired.resolved_at,
        "labels": dict(witness.fired.labels),
        "promtool": witness.promtool_version,
        "test": witness.test,
        "rules": witness.rules_file,
    }
