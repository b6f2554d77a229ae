"""A rehearsal as a document: plain lines, JSON, JUnit, SARIF. `render` makes them; nothing here does I/O."""

import importlib
from dataclasses import dataclass
from pathlib import Path

from opsconsole.redaction import redact
from opsconsole.rehearse.model import Rehearsal

FORMATS = ("plain", "json", "junit", "sarif")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where and when it was rehearsed: `at` unix seconds, `root` the folder that paths are relative to."""

    at: float = 0.0
    root: Path = Path("/")


def render(format: str, rehearsal: Rehearsal, setting: Setting) -> str:
    """The rehearsal in one of FORMATS, redacted; the same rehearsal and setting give the same text. What of a
    file's name is no Unicode is escaped."""
    module = importlib.import_module(f"opsconsole.reports.rehearsal.{format}")
    return redact(module.document(rehearsal, setting)).encode(errors="backslashreplace").decode()
