"""What is known of the labels of every series that a vector can have, and when two never match."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import promql_parser as p

from opsconsole.promql import Matcher
from opsconsole.rehearse.dead.languages import Proof, needs_a_value, unpassable

V = TypeVar("V")
NAME = "__name__"
_ABSENT = Matcher("", "=", "")
_PRESENT = Matcher("", "!=", "")


@dataclass(frozen=True, slots=True)
class Labels:
    """`always`: each series has them, each with what that rests on; `possible`: none has others (None: any
    may be there); `matchers`: by label, what its value passes, which may be the empty one of a label that is
    not there. `lost`: the aggregations that have dropped labels, each with those that there could be before
    (None: any).
    """

    always: Mapping[str, str] = field(default_factory=dict)
    possible: frozenset[str] | None = None
    matchers: Mapping[str, tuple[Matcher, ...]] = field(default_factory=dict)
    lost: tuple[tuple[p.AggregateExpr, frozenset[str] | None], ...] = ()

    def may_have(self, label: str) -> bool:
        if self.possible is None:
            return self.matchers.get(label) != (Matcher(label, "=", ""),)
        return label in self.possible or label == NAME

    def has_none_of(self, labels: Iterable[str]) -> bool:
        return not any(self.may_have(label) for label in labels)

    def without(self, labels: Iterable[str]) -> "Labels":
        gone = frozenset(labels)
        if self.possible is None:
            absent = {label: (Matcher(label, "=", ""),) for label in gone}
            return replace(self, always=_drop(self.always, gone), matchers={**self.matchers, **absent})
        return Labels(_drop(self.always, gone), self.possible - gone, _drop(self.matchers, gone), self.lost)

    def only(self, labels: Iterable[str]) -> "Labels":
        kept = frozenset(labels)
        possible = kept if self.possible is None else self.possible & kept
        return Labels(_keep(self.always, kept), possible, _keep(self.matchers, kept), self.lost)

    def forget(self, labels: Iterable[str]) -> "Labels":
        """The same where nothing is known of some labels any more."""
        these = frozenset(labels)
        possible = None if self.possible is None else self.possible | these
        return Labels(_drop(self.always, these), possible, _drop(self.matchers, these), self.lost)

    def take(self, labels: Iterable[str], other: "Labels") -> "Labels":
        """The same with some labels as another has them."""
        these = frozenset(labels)
        mine = self.forget(these)
        possible = mine.possible
        if possible is not None and other.possible is not None:
            possible -= these - other.possible
        return replace(
            mine, possible=possible, always={**mine.always, **_keep(other.always, these)},
            matchers={**mine.matchers, **_keep(other.matchers, these)},
        )  # fmt: skip

    def give(self, values: Mapping[str, str]) -> "Labels":
        """The same with these values; a label whose value is empty is removed."""
        found = self.forget(values).without(label for label, value in values.items() if not value)
        given = {label: value for label, value in values.items() if value}
        return replace(
            found, always={**found.always, **dict.fromkeys(given, "")},
            matchers={**found.matchers, **{la: (Matcher(la, "=", va),) for la, va in given.items()}},
        )  # fmt: skip

    def narrowed(self, matchers: Iterable[Matcher]) -> "Labels":
        """Those that pass the matchers too."""
        always, by_label = dict(self.always), dict(self.matchers)
        for matcher in matchers:
            if matcher.label == NAME:
                continue
            if needs_a_value(matcher):
                always[matcher.label] = ""
            known = by_label.get(matcher.label, ())
            by_label[matcher.label] = known if matcher in known else (*known, matcher)
        return replace(self, always=always, matchers=by_label)

    def hull(self, other: "Labels") -> "Labels":
        """What is known of the series of both."""
        both_known = self.possible is not None and other.possible is not None
        possible = (self.possible or frozenset()) | (other.possible or frozenset()) if both_known else None
        always = {
            label: "; ".join(filter(None, dict.fromkeys((guess, other.always[label]))))
            for label, guess in self.always.items()
            if label in other.always
        }
        matchers = {la: ma for la, ma in self.matchers.items() if other.matchers.get(la) == ma}
        return Labels(always, possible, matchers, (*self.lost, *other.lost))

    def lost_to(self, label: str) -> p.AggregateExpr | None:
        """The aggregation that has dropped a label which there could be before."""
        if self.may_have(label):
            return None
        return next((node for node, had in self.lost if had is None or label in had), None)

    def unmatchable(self, other: "Labels", label: str) -> Proof | None:
        """Whether it is proven that a series of this and one of another never agree on a label."""
        proven = self._constraint(label, ""), other._constraint(label, "")
        if all(proven) and (found := unpassable((*proven[0], *proven[1]))):
            return found
        guesses = dict.fromkeys(guess for one in (self, other) if (guess := one.always.get(label)))
        for guess in guesses:
            mine, others = self._constraint(label, guess), other._constraint(label, guess)
            if mine and others and unpassable((*mine, *others)):
                return Proof(guess)
        return None

    def _constraint(self, label: str, guess: str) -> tuple[Matcher, ...]:
        """What the value passes, if what is proven and this guess are true."""
        if not self.may_have(label):
            return (_ABSENT,)
        found = tuple(replace(matcher, label="") for matcher in self.matchers.get(label, ()))
        return (*found, _PRESENT) if self.always.get(label) in ("", guess) else found


NO_LABELS = Labels(possible=frozenset())


@dataclass(frozen=True, slots=True)
class Match:
    """Which labels two sides have to agree on: these with `on`, else all but these."""

    labels: frozenset[str] = frozenset()
    on: bool = False

    @staticmethod
    def of(node: p.BinaryExpr) -> "Match":
        matching = node.modifier.matching if node.modifier else None
        if matching is None:
            return Match()
        return Match(frozenset(matching.labels), matching.type == p.LabelModifierType.Include)

    def counts(self, label: str) -> bool:
        return (label in self.labels) == self.on and label != NAME

    def full(self, left: Labels, right: Labels) -> bool:
        """Whether series that match are alike in all labels."""
        if not self.on and not self.labels:
            return True
        if self.on:
            known = left.possible is not None and right.possible is not None
            return known and (left.possible or frozenset()) | (right.possible or frozenset()) <= self.labels
        return left.has_none_of(self.labels) and right.has_none_of(self.labels)

    def agreed(self, labels: Labels, other: Labels) -> Labels:
        """What is known of the first where it has matched the second."""
        found = labels
        for label in {*other.always, *other.matchers}:
            if self.counts(label) and found.may_have(label):
                found = found.narrowed(other.matchers.get(label, ()))
                if label in other.always and label not in found.always:
                    found = replace(found, always={**found.always, label: other.always[label]})
        if other.possible is not None and found.possible is not None:
            gone = {label for label in found.possible if self.counts(label) and label not in other.possible}
            found = found.without(gone) if gone else found
        return found


def _drop(of: Mapping[str, V], labels: frozenset[str]) -> Mapping[str, V]:
    return {label: value for label, value in of.items() if label not in labels}


def _keep(of: Mapping[str, V], labels: frozenset[str]) -> Mapping[str, V]:
    return {label: value for label, value in of.items() if label in labels}
