"""What promtool tells of the tests that fail: what it expected and what it got, read strictly."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser as p

from opsconsole.errors import Nonsense

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_FAILED = re.compile(
    rf"^ +expr: (?P<expr>{_QUOTED}), time: (?P<at>\w+),"
    r"(?: err: (?P<error>.*)|\s*\n +exp: ?(?P<expected>.*)\n +got: ?(?P<got>.*))$",
    re.MULTILINE,
)
_NAME = re.compile(rf"[^\W\d][\w:]*|{_QUOTED}")
_VALUE = re.compile(rf"({_QUOTED})(, )?")
_NUMBER = re.compile(r" (?:([-+]?(?:\d[\d.]*(?:[eE][-+]?\d+)?|Inf)|NaN)|\{\{.*?\}\})(?:, |$)")
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

Labels = tuple[tuple[str, str], ...]
"""Label names with their values, in promtool's order, `__name__` among them where there is one."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an answer, and its value; NaN for a native histogram."""

    labels: Labels
    value: float


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed `promql_expr_test`: its expression, its moment in seconds, and what promtool got, or its
    error."""

    expr: str
    at_seconds: float
    got: tuple[Sample, ...] = ()
    error: str = ""


def failures(output: str) -> Iterator[Failure]:
    """The failed tests of expressions in what promtool said. Raises Nonsense for another form."""
    for found in _FAILED.finditer(output):
        expr = unquoted(found["expr"])
        yield Failure(expr, _seconds(found["at"]), tuple(samples(found["got"] or "")), found["error"] or "")


def samples(text: str) -> Iterator[Sample]:
    """The samples of `{a="b"} 1E+00, {} 2E+00`; `nil` and nothing are none. Raises Nonsense."""
    at = 0 if text not in ("", "nil") else len(text)
    while at < len(text):
        labels, at = _labels(text, at)
        value = _NUMBER.match(text, at)
        if not value:
            raise _nonsense(text, at)
        yield Sample(labels, float(value[1] or "nan"))
        at = value.end()


def unquoted(text: str) -> str:
    """A string as Go quotes it, without its quotes and escapes."""
    return _ESCAPE.sub(_plain, text[1:-1])


def _labels(text: str, at: int) -> tuple[Labels, int]:
    if not text.startswith("{", at):
        raise _nonsense(text, at)
    at += 1
    labels: list[tuple[str, str]] = []
    while not text.startswith("}", at):
        name = _NAME.match(text, at)
        value = _VALUE.match(text, name.end() + 1) if name else None
        if name is None or value is None or text[name.end()] != "=":
            raise _nonsense(text, at)
        labels.append((unquoted(name[0]) if name[0].startswith('"') else name[0], unquoted(value[1])))
        at = value.end()
    return tuple(labels), at + 1


def _plain(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2] or escape[3]
    return chr(int(code, 16)) if code else _ESCAPED.get(escape[4], escape[4])


def _seconds(text: str) -> float:
    return 0.0 if text == "0s" else float(p.parse_duration(text).total_seconds())


def _nonsense(text: str, at: int) -> Nonsense:
    return Nonsense(
        f"an answer that cannot be read: {text[at : at + 60]!r}",
        where="promtool test rules",
        hint="try another version of promtool",
    )
