"""Silences of Alertmanager: which of them mutes an alert at a given moment, or will later?"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amlint.routing import compile_regex

from opsconsole.clients.matching import Labels, Matcher, all_pass
from opsconsole.errors import Nonsense


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence; `begins_at` and `ends_at` are aware times, `matchers` is for people."""

    id: str
    created_by: str
    comment: str
    begins_at: datetime
    ends_at: datetime
    matchers: str


def silenced(labels: Labels, silences: Iterable[Mapping[str, Any]], at: datetime) -> list[Silence]:
    """The silences that mute an alert with these labels at `at` (an aware time).

    `silences` is the answer to `GET /api/v2/silences`; expired and pending ones in it are left out by
    their times. Raises Nonsense for an entry that cannot be read.
    """
    return _muting(labels, silences, lambda begins, ends: begins <= at <= ends)


def silenced_later(labels: Labels, silences: Iterable[Mapping[str, Any]], at: datetime) -> list[Silence]:
    """The silences that will mute it and begin after `at`, the first one first; else as `silenced`."""
    later = _muting(labels, silences, lambda begins, ends: at < begins < ends)
    return sorted(later, key=lambda silence: silence.begins_at)


def _muting(
    labels: Labels, silences: Iterable[Mapping[str, Any]], when: Callable[[datetime, datetime], bool]
) -> list[Silence]:
    found = []
    for entry in silences:
        try:
            begins, ends = (datetime.fromisoformat(entry[name]) for name in ("startsAt", "endsAt"))
            if when(begins, ends) and all_pass(_matchers(entry), labels):
                by, comment = entry.get("createdBy", ""), entry.get("comment", "")
                found.append(Silence(entry["id"], by, comment, begins, ends, _written(entry["matchers"])))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Nonsense(f"a silence cannot be read: {error!r}", where="Alertmanager's silences") from None
    return found


def _written(matchers: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(f'{one["name"]}{_operator(one)}"{one["value"]}"' for one in matchers)


def _matchers(silence: Mapping[str, Any]) -> list[Matcher]:
    if not silence["matchers"]:
        raise ValueError("it has no matchers")
    return [_matcher(matcher) for matcher in silence["matchers"]]


def _matcher(matcher: Mapping[str, Any]) -> Matcher:
    wanted = compile_regex(matcher["value"]) if matcher["isRegex"] else matcher["value"]
    return matcher["name"], _operator(matcher), wanted


def _operator(matcher: Mapping[str, Any]) -> str:
    """Servers before 0.22 know no `isEqual`; there every matcher is an equality."""
    equal = matcher.get("isEqual", True)
    if matcher["isRegex"]:
        return "=~" if equal else "!~"
    return "=" if equal else "!="
