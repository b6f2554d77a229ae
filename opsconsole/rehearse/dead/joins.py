"""Operators between two vectors: which series match, and what is known of what comes of them."""

from dataclasses import replace
from typing import TYPE_CHECKING

import promql_parser as p

from opsconsole.promql import Matcher
from opsconsole.rehearse.dead import comparing, words
from opsconsole.rehearse.dead.clocks import ALL_WEEK, When
from opsconsole.rehearse.dead.labels import NAME, Labels, Match
from opsconsole.rehearse.dead.languages import passes, unpassable
from opsconsole.rehearse.dead.mismatches import mismatch
from opsconsole.rehearse.dead.ranges import COMPARISONS, FLIPPED, INFINITY, Range, Why, exactly
from opsconsole.rehearse.dead.shapes import keyed, shape
from opsconsole.rehearse.dead.values import calculated
from opsconsole.rehearse.dead.vectors import Death, Facts, Result, Vector, gathered
from opsconsole.rehearse.dead.wholes import Part, equal, part

if TYPE_CHECKING:
    from opsconsole.rehearse.dead.judge import Judge

_NEGATED = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
_RELATED = frozenset(["/", "-", *COMPARISONS])


def joined(node: p.BinaryExpr, operator: str, left: Result, right: Result, judge: "Judge") -> Result:
    if operator == "or":
        return _either(node, left, right)
    if left.dead:
        return Result(deaths=left.deaths if operator == "unless" else (*left.deaths, *right.deaths))
    match = Match.of(node)
    if operator == "unless":
        return left if right.dead else gathered(_unless(node, one, right, match) for one in left.vectors)
    if right.dead:
        return right
    relation = _Relation(node, match, judge) if operator in _RELATED else None
    result = gathered(
        _pair(node, one, other, match, relation) for one in left.vectors for other in right.vectors
    )
    if operator == "and":
        return replace(result, sure=left.sure & right.sure)
    if operator in COMPARISONS and not comparing.gives_truth(node):
        return result
    return replace(keyed(result, node) if node.modifier is None else result, sure=left.sure & right.sure)


def _either(node: p.BinaryExpr, left: Result, right: Result) -> Result:
    plain = Match.of(node) == Match()
    found = gathered((*left.vectors, *right.vectors), (*left.deaths, *right.deaths))
    sure = left.sure | (right.sure if plain else 0)
    return replace(found, sure=sure, covers=(*left.covers, *(right.covers if plain else ())))


def _pair(
    node: p.BinaryExpr, left: Vector, right: Vector, match: Match, relation: "_Relation | None"
) -> Vector | Death:
    """What comes of the series of one vector that match those of another."""
    if death := mismatch(node, left.labels, right.labels, match):
        return death
    when = left.when.meet(right.when)
    if when.never:
        return _exclusive(node, f"{words.shown(node.lhs)} and {words.shown(node.rhs)} hold at no time both")
    full = match.full(left.labels, right.labels)
    facts: Facts = {}
    if full:
        merged = _merged(node, left.facts, right.facts)
        if isinstance(merged, Death):
            return merged
        facts = merged
    if str(node.op) == "and":
        kept = replace(left, labels=match.agreed(left.labels, right.labels), when=when)
        return kept.known(facts) if full else kept
    return _operated(node, replace(left, when=when), right, match, facts, relation)


def _merged(node: p.BinaryExpr, left: Facts, right: Facts) -> Facts | Death:
    facts = dict(left)
    for key, range_ in right.items():
        facts[key] = both = facts[key].meet(range_) if key in facts else range_
        if both.empty:
            text = f"{words.shown(node.lhs)} and {words.shown(node.rhs)} exclude each other"
            return _exclusive(node, text, *(why.guess for why in (both.low_why, both.high_why) if why))
    return facts


def _exclusive(node: p.Expr, text: str, *guesses: str) -> Death:
    return Death("contradiction", text, node, guess="; ".join(dict.fromkeys(filter(None, guesses))))


def _operated(
    node: p.BinaryExpr, left: Vector, right: Vector, match: Match, facts: Facts, relation: "_Relation | None"
) -> Vector | Death:
    operator = str(node.op)
    labels = _labels(node, left.labels, right.labels, match)
    buckets, floats = left.buckets or right.buckets, left.floats and right.floats
    if operator not in COMPARISONS:
        value = calculated(operator, left.value, right.value)
        if relation:
            value = replace(value, range=relation.narrowed(value.range))
        return Vector(labels, value, left.when, facts=facts, buckets=buckets, floats=floats)
    if comparing.gives_truth(node):
        value = comparing.truth(node, operator, left.value, right.value)
        return Vector(labels, value, left.when, facts=facts, buckets=buckets, floats=True)
    if relation and (death := relation.excluded()):
        return death
    kept = comparing.filter_(node, operator, left, right.value, node.lhs)
    if isinstance(kept, Death):
        return kept
    one_to_one = node.modifier is None or node.modifier.card == p.VectorMatchCardinality.OneToOne
    if not (one_to_one and match.full(left.labels, right.labels)):
        return Vector(labels, kept.value, kept.when, buckets=left.buckets, floats=left.floats)
    key = left.key
    kept = replace(
        kept, labels=labels, facts={**facts, **({key: kept.value.range} if key is not None else {})}
    )
    return _differing(node, operator, kept)


def _differing(node: p.BinaryExpr, operator: str, one: Vector) -> Vector | Death:
    """With the difference of the two sides among what is known."""
    left, right = shape(node.lhs, erased=True), shape(node.rhs, erased=True)
    if left is None or right is None or operator == "!=":
        return one
    flipped = hash(left) > hash(right)
    key = ("difference", right, left) if flipped else ("difference", left, right)
    operator = FLIPPED[operator] if flipped else operator
    why = Why(f"{words.shown(node)} is asked for too", "contradiction")
    sides = {
        ">": Range(0.0, INFINITY, low_open=True), "<": Range(-INFINITY, 0.0, high_open=True),
        ">=": Range(0.0), "<=": Range(high=0.0), "==": exactly(0.0),
    }  # fmt: skip
    found = _merged(node, one.facts, {key: replace(sides[operator], nan=False, low_why=why, high_why=why)})
    return found if isinstance(found, Death) else replace(one, facts=found)


def _labels(node: p.BinaryExpr, left: Labels, right: Labels, match: Match) -> Labels:
    """The labels of arithmetic or of a comparison."""
    modifier = node.modifier
    mine, others = match.agreed(left, right), match.agreed(right, left)
    if modifier is not None and modifier.card == p.VectorMatchCardinality.ManyToOne:
        return mine.take(modifier.group_labels or (), right)
    if modifier is not None and modifier.card == p.VectorMatchCardinality.OneToMany:
        return others.take(modifier.group_labels or (), left)
    if match.on:
        return mine.only(match.labels)
    return mine.without(match.labels) if match.labels else mine


def _unless(node: p.BinaryExpr, one: Vector, right: Result, match: Match) -> Vector | Death:
    """What is left of the series of a vector that match none of another."""
    taken = f"{words.shown(node.rhs)} has all that {words.shown(node.lhs)} has, so `unless` leaves nothing"
    for cover in right.covers:
        fact = one.facts.get(cover.key)
        if fact is None or not all(_passes(one.labels, matcher) for matcher in cover.matchers):
            continue
        rest = fact.less(cover.range, Why(f"{words.shown(node)} takes away the others", "contradiction"))
        if rest.empty:
            return _exclusive(node, taken)
        one = one.known({**one.facts, cover.key: rest})
    unlabelled = (
        one.labels.possible is not None and all(not match.counts(label) for label in one.labels.possible)
    ) or (match.on and one.labels.has_none_of(match.labels))
    if right.sure and unlabelled:
        when = one.when.meet(When(ALL_WEEK & ~right.sure, parts=(node,)))
        return _exclusive(node, taken) if when.never else replace(one, when=when)
    return one


def _passes(labels: Labels, matcher: Matcher) -> bool:
    """Whether all series with these labels pass a matcher."""
    if matcher.label == NAME:
        return False
    if not labels.may_have(matcher.label):
        return passes(matcher, "") is True
    known = labels.matchers.get(matcher.label, ())
    opposite = Matcher("", _NEGATED[matcher.operator], matcher.value)
    plain = tuple(replace(one, label="") for one in known)
    return matcher in known or (bool(known) and bool(unpassable((*plain, opposite))))


class _Relation:
    """What is known of one side of an operator by the other: that it is a part of it, or the same."""

    def __init__(self, node: p.BinaryExpr, match: Match, judge: "Judge") -> None:
        self._node = node
        self._same = equal(node.lhs, node.rhs, match)
        self._part = None if self._same else part(node.lhs, node.rhs, match, judge)
        self._whole = None if self._same or self._part else part(node.rhs, node.lhs, match, judge)

    def narrowed(self, range_: Range) -> Range:
        """The range of the difference or the quotient of the two sides."""
        difference = str(self._node.op) == "-"
        if self._same:
            one = 0.0 if difference else 1.0
            found = exactly(one, Why(f"it is the same on both sides, so the result is {one:g} or NaN"))
            return replace(found, nan=True)
        if self._part and not (difference and self._part.factor != 1):
            why = Why("a part is never more than its whole", guess=self._part.guess)
            return range_.meet(Range(high=0.0 if difference else self._part.factor, high_why=why))
        if self._whole and difference and self._whole.factor == 1:
            why = Why("a whole is never less than a part of it", guess=self._whole.guess)
            return range_.meet(Range(low=0.0, low_why=why))
        if self._whole and not difference and range_.low >= 0:
            why = Why("a whole is never less than a part of it", guess=self._whole.guess)
            return range_.meet(Range(low=1 / self._whole.factor, low_why=why))
        return range_

    def excluded(self) -> Death | None:
        """Why the comparison of the two sides is never true."""
        operator = str(self._node.op)
        if self._same and operator in (">", "<"):
            return _exclusive(self._node, f"{words.shown(self._node)} compares a value with itself")
        if self._part and _too_much(operator, self._part):
            return self._exceeding(self._node.lhs, self._node.rhs, "more", self._part)
        if self._whole and _too_much(FLIPPED[operator], self._whole):
            return self._exceeding(self._node.lhs, self._node.rhs, "less", self._whole)
        return None

    def _exceeding(self, one: p.Expr, other: p.Expr, word: str, found: Part) -> Death:
        text = f"{words.shown(one)} is never {word} than {words.shown(other)}: one is a part of the other"
        return Death("out-of-range", text, self._node, guess=found.guess)


def _too_much(operator: str, found: Part) -> bool:
    """Whether it asks a part to be more than its whole. Nothing and nothing are equal, so `>=` asks less."""
    return operator == ">" and found.factor <= 1
