"""Whether any value of a label can pass several matchers at once.

Regular expressions are followed by their derivatives: what is left to match after each character, one of
those that they tell apart. A label that is not there has the empty value.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from opsconsole.promql import Matcher
from opsconsole.rehearse.dead.regexes import (
    EMPTY,
    FAIL,
    LAST,
    Any,
    Chars,
    Edge,
    Many,
    Regex,
    Row,
    any_of,
    parse,
    row,
    samples,
)

_MOST_STEPS = 600
_MOST_WORDS = 8
_LINE_BREAK = "that no value has a line break in it"
_ODD = frozenset("^$\\[.")
"""Without these a pattern that stands alone has something that it matches, and something that it does not."""


@dataclass(frozen=True, slots=True)
class Proof:
    """It is so; `guess` is what that rests on, empty where it is proven."""

    guess: str = ""


@lru_cache(maxsize=4096)
def unpassable(matchers: tuple[Matcher, ...]) -> Proof | None:
    """Whether it is proven that no value passes all the matchers, whose labels are not looked at."""
    if len(matchers) == 1 and _plain(matchers[0]):
        return None
    if _nothing_passes(matchers, newline=True):
        return Proof("" if _nothing_passes(matchers, newline=False) else _LINE_BREAK)
    return None


@lru_cache(maxsize=4096)
def passes(matcher: Matcher, value: str) -> bool | None:
    """Whether a value passes a matcher; None where its pattern is not understood."""
    if matcher.operator in ("=", "!="):
        return (matcher.value == value) == (matcher.operator == "=")
    tree = parse(matcher.value)
    if tree is None:
        return None
    begin = True
    for sign in value:
        tree, begin = _derivative(tree, ord(sign), begin), False
    return _ends(tree, begin) == (matcher.operator == "=~")


def needs_a_value(matcher: Matcher) -> bool:
    """Whether a series that lacks the label is refused."""
    return passes(matcher, "") is False


def _plain(matcher: Matcher) -> bool:
    return matcher.operator in ("=", "!=") or not _ODD & set(matcher.value)


def _nothing_passes(matchers: tuple[Matcher, ...], *, newline: bool) -> bool:
    if exact := [matcher.value for matcher in matchers if matcher.operator == "="]:
        return any(passes(matcher, exact[0]) is False for matcher in matchers)
    wanted: list[Regex] = []
    refused: list[Regex] = []
    for matcher in matchers:
        # The dot takes a line break from version 3 on: before, one passes what refuses `.`
        tree = parse(matcher.value, newline=newline or matcher.operator == "=~")
        if matcher.operator == "!=":
            tree = row(*(Chars(((ord(sign), ord(sign)),)) for sign in matcher.value))
        if tree is None:
            return False
        (wanted if matcher.operator == "=~" else refused).append(tree)
    if any(all(passes(one, word) for one in matchers) for word in _words(wanted)):
        return False
    return not _any_word(tuple(wanted), tuple(refused))


def _words(wanted: Iterable[Regex]) -> Iterator[str]:
    """Some texts that are likely to pass."""
    yield from (word for tree in wanted for word in islice(samples(tree), _MOST_WORDS))
    yield from ("", "\N{SNOWMAN}")


def _any_word(wanted: tuple[Regex, ...], refused: tuple[Regex, ...]) -> bool:
    """Whether a text is matched by all that are wanted and by none that is refused; True where it would take
    too long to tell."""
    signs = _representatives([*wanted, *refused])
    seen = {(wanted, refused)}
    todo = [(wanted, refused, True)]
    while todo:
        if len(seen) * len(signs) > _MOST_STEPS:
            return True
        now, against, begin = todo.pop()
        if all(_ends(one, begin) for one in now) and not any(_ends(one, begin) for one in against):
            return True
        for sign in signs:
            after = tuple(_derivative(one, sign, begin) for one in now)
            state = (after, tuple(_derivative(one, sign, begin) for one in against))
            if FAIL not in after and state not in seen:
                seen.add(state)
                todo.append((*state, False))
    return False


def _representatives(trees: Iterable[Regex]) -> list[int]:
    """One character of each kind that the expressions tell apart."""
    cuts = {0}
    for tree in trees:
        for spans in _spans(tree):
            cuts.update(low for low, _ in spans)
            cuts.update(high + 1 for _, high in spans if high < LAST)
    return sorted(cuts)


def _spans(tree: Regex) -> Iterator[tuple[tuple[int, int], ...]]:
    match tree:
        case Chars():
            yield tree.spans
        case Row() | Any():
            for part in tree.parts if isinstance(tree, Row) else tree.options:
                yield from _spans(part)
        case Many():
            yield from _spans(tree.inner)


def _ends(tree: Regex, begin: bool) -> bool:
    """Whether the text may end here; `begin`: it is empty so far."""
    return _passable(tree, begin, end=True)


def _passable(tree: Regex, begin: bool, *, end: bool) -> bool:
    match tree:
        case Chars():
            return False
        case Row():
            return all(_passable(part, begin, end=end) for part in tree.parts)
        case Any():
            return any(_passable(option, begin, end=end) for option in tree.options)
        case Edge():
            return begin if tree.of == "begin" else end
    return True


def _derivative(tree: Regex, sign: int, begin: bool) -> Regex:
    """What is left to match behind a character."""
    match tree:
        case Chars():
            return EMPTY if any(low <= sign <= high for low, high in tree.spans) else FAIL
        case Row():
            return _of_row(tree.parts, sign, begin)
        case Any():
            return any_of(*(_derivative(option, sign, begin) for option in tree.options))
        case Many():
            return row(_derivative(tree.inner, sign, begin), _later(tree) if begin else tree)
    return FAIL


def _of_row(parts: tuple[Regex, ...], sign: int, begin: bool) -> Regex:
    ways: list[Regex] = []
    for place, part in enumerate(parts):
        if (first := _derivative(part, sign, begin)) != FAIL:
            rest = parts[place + 1 :]
            ways.append(row(first, *(map(_later, rest) if begin else rest)))
        if not _passable(part, begin, end=False):
            break
    return any_of(*ways)


def _later(tree: Regex) -> Regex:
    """The same, no longer at the beginning of the text."""
    match tree:
        case Edge(of="begin"):
            return FAIL
        case Row():
            return row(*map(_later, tree.parts))
        case Any():
            return any_of(*map(_later, tree.options))
        case Many():
            return Many(_later(tree.inner))
    return tree
