"""Matchers of Alertmanager, as amlint reads them: which of many sets of them does an alert pass?

Parsing (classic and UTF-8 syntax, deprecated `match` and `match_re`) and the translation of Go's regular
expressions are amlint's. Its own Router tries every route for every alert, 0.7 ms at 1,000 routes; here
the answer for one value of one label is worked out once and kept.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

Labels = Mapping[str, str]

# (label, operator, value): a compiled pattern for =~ and !~, matched in full.
Matcher = tuple[str, str, str | re.Pattern[str]]

_VALUES_KEPT = 65_536
_ALIKE = 0.8


def passes(matcher: Matcher, value: str) -> bool:
    """Whether a label of this value passes; a missing label counts as the empty string."""
    _, operator, wanted = matcher
    hit = value == wanted if isinstance(wanted, str) else wanted.fullmatch(value) is not None
    return hit != operator.startswith("!")


def all_pass(matchers: Sequence[Matcher], labels: Labels) -> bool:
    """Whether the label set passes every one of the matchers; true where there are none."""
    return all(passes(matcher, labels.get(matcher[0], "")) for matcher in matchers)


def contradicts(matchers: Sequence[Matcher], labels: Labels) -> bool:
    """Whether a label that is present fails one of the matchers, whatever the missing ones may be."""
    return any(m[0] in labels and not passes(m, labels[m[0]]) for m in matchers)


def near_miss(matchers: Sequence[Matcher], labels: Labels) -> str:
    """What keeps a label set from passing, where it is little: all that refuse it want another case or a word
    that is almost the same, or the only one that does wants a label that is not there. Empty otherwise."""
    refusing = [matcher for matcher in matchers if not passes(matcher, labels.get(matcher[0], ""))]
    told = [_near(matcher, labels.get(matcher[0], "")) for matcher in refusing]
    absent = any(not labels.get(matcher[0]) for matcher in refusing)
    return "" if not all(told) or (absent and len(told) > 1) else " and ".join(told)


def _near(matcher: Matcher, value: str) -> str:
    from difflib import SequenceMatcher

    label, operator, wanted = matcher
    text = wanted if isinstance(wanted, str) else wanted.pattern.removeprefix("(?:").removesuffix(")")
    matcher_and_value = f'its matcher {label}{operator}"{text}" does not pass {label}="{value}"'
    if operator.startswith("!"):
        return ""
    if not value:
        return f'its matcher {label}{operator}"{text}" asks for a label that the alert does not have'
    if re.fullmatch(re.escape(text) if isinstance(wanted, str) else text, value, re.IGNORECASE):
        return f"{matcher_and_value}, whose case differs"
    if SequenceMatcher(None, text, value).ratio() >= _ALIKE:
        return f"{matcher_and_value}, which is almost the same"
    return ""


def index(sets: Sequence[Sequence[Matcher]]) -> Callable[[Labels], int]:
    """A function from a label set to the sets of matchers that it passes: bit i stands for sets[i]."""
    everything = (1 << len(sets)) - 1
    by_label: dict[str, _LabelIndex] = {}
    for number, matchers in enumerate(sets):
        for matcher in matchers:
            by_label.setdefault(matcher[0], _LabelIndex()).add(1 << number, matcher)

    @lru_cache(maxsize=_VALUES_KEPT)
    def allowed(label: str, value: str) -> int:
        return everything & ~by_label[label].refused(value)

    def passed(labels: Labels) -> int:
        bits = everything
        for label in by_label:
            bits &= allowed(label, labels.get(label, ""))
        return bits

    return passed


class _LabelIndex:
    """All matchers on one label; each distinct regular expression is tried once for a value."""

    def __init__(self) -> None:
        self._equal: dict[str, int] = {}
        self._others: dict[Matcher, int] = {}
        self._wanting = 0
        self._impossible = 0  # two values wanted of one label

    def add(self, bit: int, matcher: Matcher) -> None:
        _, operator, wanted = matcher
        if operator == "=" and isinstance(wanted, str):
            if self._wanting & bit and not self._equal.get(wanted, 0) & bit:
                self._impossible |= bit
            self._wanting |= bit
            self._equal[wanted] = self._equal.get(wanted, 0) | bit
        else:
            self._others[matcher] = self._others.get(matcher, 0) | bit

    def refused(self, value: str) -> int:
        refused = self._impossible | self._wanting & ~self._equal.get(value, 0)
        for matcher, bits in self._others.items():
            if not passes(matcher, value):
                refused |= bits
        return refused
