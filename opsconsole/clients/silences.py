"""Silences of Alertmanager: which of them mutes an alert at a given moment?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amlint.routing import compile_regex

from opsconsole.clients.matching import Labels, Matcher, all_pass
from opsconsole.errors import Nonsense


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence in force; `ends_at` is an aware time."""

    id: str
    created_by: str
    comment: str
    ends_at: datetime


def silenced(labels: Labels, silences: Iterable[Mapping[str, Any]], at: datetime) -> list[Silence]:
    """The silences that mute an alert with these labels at `at` (an aware time).

    `silences` is the answer to `GET /api/v2/silences`; expired and pending ones in it are left out by
    their times. Raises Nonsense for an entry that cannot be read.
    """
    found = []
    for entry in silences:
        try:
            begins, ends = (datetime.fromisoformat(entry[name]) for name in ("startsAt", "endsAt"))
            if begins <= at <= ends and all_pass(_matchers(entry), labels):
                found.append(Silence(entry["id"], entry.get("createdBy", ""), entry.get("comment", ""), ends))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Nonsense(f"a silence cannot be read: {error!r}", where="Alertmanager's silences") from None
    return found


def _matchers(silence: Mapping[str, Any]) -> list[Matcher]:
    if not silence["matchers"]:
        raise ValueError("it has no matchers")
    return [_matcher(matcher) for matcher in silence["matchers"]]


def _matcher(matcher: Mapping[str, Any]) -> Matcher:
    """Servers before 0.22 know no `isEqual`; there every matcher is an equality."""
    sign = "=" if matcher.get("isEqual", True) else "!"
    if not matcher["isRegex"]:
        return matcher["name"], "=" if sign == "=" else "!=", matcher["value"]
    return matcher["name"], f"{sign}~", compile_regex(matcher["value"])
