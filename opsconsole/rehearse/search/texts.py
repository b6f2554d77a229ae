"""Label values that a matcher takes, found from its regular expression."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice, product
from re import (  # type: ignore[attr-defined]
    _constants as sre,
)
from re import (
    _parser,
)
from typing import Any

from opsconsole.promql import Matcher

_MOST = 12
_CLASSES = {
    "digit": "0-9",
    "alpha": "a-zA-Z",
    "alnum": "a-zA-Z0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "space": " ",
}
_ALPHABET = "a1x0-_./:A Z"


def takes(matcher: Matcher, value: str) -> bool:
    """Whether the matcher takes a label of this value (empty: no label)."""
    if matcher.operator in ("=", "!="):
        return (value == matcher.value) == (matcher.operator == "=")
    pattern = _compiled(matcher.value)
    if pattern is None:
        return False
    return bool(pattern.fullmatch(value)) == (matcher.operator == "=~")


def accepted(matchers: Sequence[Matcher], wished: Sequence[str]) -> list[str]:
    """Values that all matchers of one label take: of those wished for first, then made-up ones; some ten at
    most, none where none was found."""
    ideas = [*wished]
    for matcher in matchers:
        if matcher.operator == "=":
            ideas.append(matcher.value)
        elif matcher.operator == "=~":
            ideas.extend(examples(matcher.value))
    ideas += ["a", "b", "x1", "other", "1", "0", ""]
    return [idea for idea in dict.fromkeys(ideas) if all(takes(matcher, idea) for matcher in matchers)][
        :_MOST
    ]


@lru_cache(maxsize=4096)
def examples(pattern: str) -> tuple[str, ...]:
    """Some strings that the whole pattern matches; empty where the pattern is none, or too clever."""
    compiled = _compiled(pattern)
    if compiled is None:
        return ()
    try:
        made = islice(_strings(_parser.parse(_python(pattern))), 60)
        return tuple(dict.fromkeys(one for one in made if compiled.fullmatch(one)))[:_MOST]
    except (re.error, RecursionError, OverflowError):
        return ()


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(_python(pattern), re.DOTALL)
    except (re.error, RecursionError, OverflowError):
        return None


def _python(pattern: str) -> str:
    """RE2's syntax in Python's, as far as label matchers use what differs."""
    for name, characters in _CLASSES.items():
        pattern = pattern.replace(f"[:{name}:]", characters)
    return pattern.replace("(?s)", "").replace("\\z", "\\Z")


def _strings(parsed: Any) -> Iterator[str]:
    parts = [list(islice(_of(op, argument), 6)) for op, argument in parsed]
    for chosen in product(*parts):
        yield "".join(chosen)


def _of(op: Any, argument: Any) -> Iterator[str]:
    match op:
        case sre.LITERAL:
            yield chr(argument)
        case sre.NOT_LITERAL:
            yield from (c for c in _ALPHABET if c != chr(argument))
        case sre.ANY:
            yield from "a1"
        case sre.IN:
            yield from _in(argument)
        case sre.BRANCH:
            for branch in argument[1]:
                yield from islice(_strings(branch), 3)
        case sre.SUBPATTERN:
            yield from _strings(argument[3])
        case sre.MAX_REPEAT | sre.MIN_REPEAT | sre.POSSESSIVE_REPEAT:
            least, most, inner = argument
            for times in dict.fromkeys((max(least, min(1, most)), least, min(least + 2, most))):
                yield from (one * times for one in islice(_strings(inner), 2))
        case _:  # anchors and the like have no text of their own; a look-around is checked at the end
            yield ""


def _in(items: Any) -> Iterator[str]:
    negated = any(op is sre.NEGATE for op, _ in items)
    chars = set()
    for op, argument in items:
        if op is sre.LITERAL:
            chars.add(chr(argument))
        elif op is sre.RANGE:
            chars.update(chr(code) for code in (argument[0], argument[1]))
        elif op is sre.CATEGORY:
            chars.update(
                {sre.CATEGORY_DIGIT: "01", sre.CATEGORY_WORD: "a1", sre.CATEGORY_SPACE: " "}.get(
                    argument, "a"
                )
            )
    yield from (c for c in _ALPHABET if c not in chars) if negated else sorted(chars)
