"""RE2's regular expressions as trees, as far as labels are matched with them.

What is not understood (word borders, character classes by name, multi-line mode ...) has no tree.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, zip_longest
from typing import Literal

Spans = tuple[tuple[int, int], ...]
LAST = 0x10FFFF
_NEWLINE = 10
_PLAIN = tuple(map(ord, "a1A_-"))
_WORD: Spans = ((48, 57), (65, 90), (95, 95), (97, 122))
_CLASSES: dict[str, Spans] = {
    "d": ((48, 57),),
    "w": _WORD,
    "s": ((9, 10), (12, 13), (32, 32)),
}
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_MOST_PARTS = 400
_HEAD = re.compile(r"\?(?:P?<\w+>|(?P<flags>i?)(?P<end>[:)]))")


class NotUnderstood(Exception):
    """A form that is not read here."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of these, from and to, in order."""

    spans: Spans


@dataclass(frozen=True, slots=True)
class Row:
    """One after the other; nothing: the empty string."""

    parts: tuple["Regex", ...] = ()


@dataclass(frozen=True, slots=True)
class Any:
    """One of these; none: nothing matches."""

    options: frozenset["Regex"] = frozenset()


@dataclass(frozen=True, slots=True)
class Many:
    """Any number of times."""

    inner: "Regex"


@dataclass(frozen=True, slots=True)
class Edge:
    """The beginning or the end of the text."""

    of: Literal["begin", "end"]


Regex = Chars | Row | Any | Many | Edge
EMPTY = Row()
FAIL = Any()


def row(*parts: Regex) -> Regex:
    flat: list[Regex] = []
    for part in parts:
        if part == FAIL:
            return FAIL
        flat.extend(part.parts if isinstance(part, Row) else [part])
    return flat[0] if len(flat) == 1 else Row(tuple(flat))


def any_of(*options: Regex) -> Regex:
    flat: set[Regex] = set()
    for option in options:
        flat |= option.options if isinstance(option, Any) else {option}
    return flat.pop() if len(flat) == 1 else Any(frozenset(flat))


@lru_cache(maxsize=4096)
def parse(pattern: str, *, newline: bool = True) -> Regex | None:
    """The tree of a pattern, None where it is not understood. `newline`: a dot is a line break too."""
    try:
        reader = _Reader(pattern, newline)
        tree = reader.options()
        return tree if reader.at == len(pattern) else None
    except (NotUnderstood, IndexError, ValueError):
        return None


class _Reader:
    def __init__(self, text: str, newline: bool) -> None:
        self.text = text
        self.at = 0
        self.dot: Spans = ((0, LAST),) if newline else ((0, _NEWLINE - 1), (_NEWLINE + 1, LAST))
        self.any_case = False

    def options(self) -> Regex:
        case = self.any_case
        found = [self.row()]
        while self.ahead("|"):
            self.at += 1
            found.append(self.row())
        self.any_case = case
        return any_of(*found)

    def row(self) -> Regex:
        parts: list[Regex] = []
        while self.at < len(self.text) and not self.ahead("|", ")"):
            parts.append(self.repeated(self.atom()))
        return row(*parts)

    def repeated(self, inner: Regex) -> Regex:
        while self.at < len(self.text):
            least, most = self.count()
            if least is None:
                return inner
            if max(least, most or 0) * _size(inner) > _MOST_PARTS or least > (
                least if most is None else most
            ):
                raise NotUnderstood
            if self.ahead("?"):
                self.at += 1
            tail: list[Regex] = [Many(inner)] if most is None else [any_of(EMPTY, inner)] * (most - least)
            inner = row(*[inner] * least, *tail)
        return inner

    def count(self) -> tuple[int | None, int | None]:
        """How often at least and at most (None: without an end) what was read last comes; least None where
        nothing is said of it."""
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self.text[self.at])
        if simple:
            self.at += 1
            return simple
        end = self.text.find("}", self.at)
        least, comma, most = self.text[self.at + 1 : end].partition(",")
        if not self.ahead("{") or end < 0 or not least.isdigit() or (most and not most.isdigit()):
            return None, None
        self.at = end + 1
        return int(least), int(most) if most else None if comma else int(least)

    def atom(self) -> Regex:
        sign = self.next()
        match sign:
            case "(":
                return self.group()
            case "[":
                return self.one_of()
            case ".":
                return Chars(self.dot)
            case "^":
                return Edge("begin")
            case "$":
                return Edge("end")
            case "\\":
                return self.escape()
            case "*" | "+" | "?":
                raise NotUnderstood
        return self.literal(sign)

    def group(self) -> Regex:
        before = self.any_case
        if self.ahead("?"):
            head = _HEAD.match(self.text, self.at)
            if not head:
                raise NotUnderstood
            self.at = head.end()
            self.any_case = before or head["flags"] == "i"
            if head["end"] == ")":  # for all that follows
                return EMPTY
        inner = self.options()
        self.any_case = before
        if self.next() != ")":
            raise NotUnderstood
        return inner

    def escape(self) -> Regex:
        sign = self.next()
        if sign.lower() in _CLASSES:
            spans = _CLASSES[sign.lower()]
            return Chars(inverted(spans) if sign.isupper() else spans)
        if sign == "A":
            return Edge("begin")
        if sign == "z":
            return Edge("end")
        return self.literal(self.escaped(sign))

    def escaped(self, sign: str) -> str:
        if sign in _CONTROL:
            return _CONTROL[sign]
        if sign.isalnum():
            raise NotUnderstood
        return sign

    def literal(self, sign: str) -> Chars:
        return Chars(merged((ord(one), ord(one)) for one in self.cases(sign)))

    def cases(self, sign: str) -> set[str]:
        if not self.any_case:
            return {sign}
        if not sign.isascii():
            raise NotUnderstood
        return {sign.lower(), sign.upper()}

    def one_of(self) -> Regex:
        inverts = self.ahead("^")
        self.at += inverts
        spans: list[tuple[int, int]] = []
        first = True
        while first or not self.ahead("]"):
            first = False
            if self.ahead("["):  # [:alpha:] and the like
                raise NotUnderstood
            spans += self.span()
        self.at += 1
        found = merged(spans)
        return Chars(inverted(found) if inverts else found)

    def span(self) -> Spans:
        sign = self.next()
        if sign == "\\":
            sign = self.next()
            if sign.lower() in _CLASSES:
                spans = _CLASSES[sign.lower()]
                return inverted(spans) if sign.isupper() else spans
            sign = self.escaped(sign)
        last = sign
        if self.ahead("-") and self.text[self.at + 1] != "]":
            self.at += 1
            last = self.next()
            last = self.escaped(self.next()) if last == "\\" else last
        if self.any_case and (sign != last or sign.isalpha()):
            if sign != last:
                raise NotUnderstood
            return merged((ord(one), ord(one)) for one in self.cases(sign))
        if last < sign:
            raise NotUnderstood
        return ((ord(sign), ord(last)),)

    def ahead(self, *signs: str) -> bool:
        return self.at < len(self.text) and self.text[self.at] in signs

    def next(self) -> str:
        self.at += 1
        return self.text[self.at - 1]


def samples(tree: Regex) -> Iterator[str]:
    """Some of the texts that match, short ones first, as if edges were everywhere."""
    match tree:
        case Chars():
            plain = next((one for one in _PLAIN if any(low <= one <= high for low, high in tree.spans)), None)
            if plain is not None or tree.spans:
                yield chr(tree.spans[0][0] if plain is None else plain)
        case Row():
            yield from _of_rows([list(islice(samples(part), 3)) for part in tree.parts])
        case Any():
            ways = [samples(option) for option in sorted(tree.options, key=_size)]
            yield from (word for words in zip_longest(*ways) for word in words if word is not None)
        case Many():
            yield ""
            yield from samples(tree.inner)
        case Edge():
            yield ""


def _of_rows(parts: list[list[str]]) -> Iterator[str]:
    """Rows of the first of each part, then with another one in one place."""
    if not all(parts):
        return
    firsts = [words[0] for words in parts]
    yield "".join(firsts)
    for place, words in enumerate(parts):
        for word in words[1:]:
            yield "".join([*firsts[:place], word, *firsts[place + 1 :]])


def _size(tree: Regex) -> int:
    match tree:
        case Row():
            return 1 + sum(map(_size, tree.parts))
        case Any():
            return 1 + sum(map(_size, tree.options))
        case Many():
            return 1 + _size(tree.inner)
    return 1


def merged(spans: Iterable[tuple[int, int]]) -> Spans:
    found: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return tuple(found)


def inverted(spans: Spans) -> Spans:
    found, at = [], 0
    for low, high in spans:
        if at < low:
            found.append((at, low - 1))
        at = high + 1
    return (*found, (at, LAST)) if at <= LAST else tuple(found)
