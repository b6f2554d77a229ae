"""When one side of an operator is a part of the other, and so never more: failed requests of all requests."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import promql_parser as p

from opsconsole.promql.trees import number
from opsconsole.rehearse.dead.labels import Match
from opsconsole.rehearse.dead.shapes import bare, conditions, shape

if TYPE_CHECKING:
    from opsconsole.rehearse.dead.judge import Judge

_ROUNDING = "but for a rounding error in the last digit"
_GROWING = frozenset(["sum", "count", "max"])
_FILTERS = frozenset([">", "<", ">=", "<=", "==", "!=", "and", "unless"])


@dataclass(frozen=True, slots=True)
class Part:
    """One expression is at most `factor` times another, wherever the two match; `guess` is what that rests
    on."""

    factor: float = 1.0
    guess: str = ""


def part(one: p.Expr, other: p.Expr, match: Match, judge: "Judge") -> Part | None:
    """Whether `one` is never more than some times `other`, of which none is negative."""
    (times, inner), (divided, outer) = _scaled(one), _scaled(other)
    if times <= 0 or divided <= 0:
        return None
    guesses = _part(inner, outer, match, judge)
    if guesses is None:
        return None
    if times != divided:
        guesses |= {_ROUNDING: None}
    return Part(times / divided, "; ".join(filter(None, guesses)))


def equal(one: p.Expr, other: p.Expr, match: Match) -> bool:
    """Whether both always have the same value, NaN for NaN."""
    if match.on or match.labels:
        return False
    key = shape(one, erased=True)
    return key is not None and key == shape(other, erased=True)


Guesses = dict[str, None]


def _part(one: p.Expr, other: p.Expr, match: Match, judge: "Judge") -> Guesses | None:
    one, other = bare(one), bare(other)
    if (found := _non_negative(other, judge)) is None:
        return None
    if isinstance(other, p.BinaryExpr) and (wider := _wider(other, one, match, judge)) is not None:
        return found | wider
    if isinstance(one, p.BinaryExpr) and (narrower := _narrower(one, other, match, judge)) is not None:
        return found | narrower
    if isinstance(other, p.Call) and other.func.name == "clamp_min":
        inner = _part(one, other.args[0], match, judge)
        return None if inner is None else found | inner
    if isinstance(one, p.AggregateExpr) and isinstance(other, p.AggregateExpr):
        grouped = _group_of(one, other, match) and _of_group(one, other)
        return found if grouped else None
    return found if equal(one, other, match) else None


def _wider(other: p.BinaryExpr, one: p.Expr, match: Match, judge: "Judge") -> Guesses | None:
    """`one` is a part of one summand of `other`, or of what a comparison leaves of it."""
    operator = str(other.op)
    if operator in _FILTERS and not (
        other.modifier and (other.modifier.return_bool or other.modifier.matching)
    ):
        return _part(one, other.lhs, match, judge)
    if operator != "+" or (other.modifier and other.modifier.matching):
        return None
    for summand, rest in ((other.lhs, other.rhs), (other.rhs, other.lhs)):
        positive, inner = _non_negative(rest, judge), _part(one, summand, match, judge)
        if positive is not None and inner is not None:
            return positive | inner
    return None


def _narrower(one: p.BinaryExpr, other: p.Expr, match: Match, judge: "Judge") -> Guesses | None:
    """`one` is what a comparison or a subtraction leaves of a part, or that part or 0."""
    operator = str(one.op)
    if one.modifier and (one.modifier.return_bool or one.modifier.matching):
        return None
    if operator in _FILTERS:
        return _part(one.lhs, other, match, judge)
    if operator == "-":
        taken, inner = _non_negative(one.rhs, judge), _part(one.lhs, other, match, judge)
        return taken | inner if taken is not None and inner is not None else None
    if operator == "or" and judge.result(one.rhs).vectors:
        inner = _part(one.lhs, other, match, judge)
        return inner if all(each.value.range.high <= 0 for each in judge.result(one.rhs).vectors) else None
    return None


def _scaled(node: p.Expr) -> tuple[float, p.Expr]:
    """An expression as a number times another."""
    node = bare(node)
    if isinstance(node, p.BinaryExpr) and str(node.op) in "*/":
        left, right = number(node.lhs), number(node.rhs)
        if right is not None and left is None:
            factor, inner = _scaled(node.lhs)
            if str(node.op) == "*":
                return factor * right, inner
            return (factor / right if right else 0.0), inner
        if left is not None and right is None and str(node.op) == "*":
            factor, inner = _scaled(node.rhs)
            return factor * left, inner
    return 1.0, node


def _non_negative(node: p.Expr, judge: "Judge") -> Guesses | None:
    """What it rests on that no value is negative; None where one may be."""
    from opsconsole.rehearse.dead.vectors import Number

    found = judge.term(node)
    if isinstance(found, Number):
        ranges = [found.value.range]
    else:
        ranges = [one.value.range for one in judge.result(node).vectors]
    if any(one.low < 0 for one in ranges):
        return None
    return dict.fromkeys(one.low_why.guess for one in ranges if one.low_why and one.low_why.guess)


def _group_of(one: p.AggregateExpr, other: p.AggregateExpr, match: Match) -> bool:
    """Whether the groups of `one` lie in those of `other` that they match."""
    mine, others = one.modifier, other.modifier
    if mine and others and mine.type == others.type == p.AggModifierType.Without:
        return set(mine.labels) == set(others.labels) and not match.on and not match.labels
    if any(modifier and modifier.type == p.AggModifierType.Without for modifier in (mine, others)):
        return False
    outer = set(others.labels) if others else set()
    inner = set(mine.labels) if mine else set()
    return outer <= inner and all(match.counts(label) for label in outer)


def _of_group(one: p.AggregateExpr, other: p.AggregateExpr) -> bool:
    """Whether `one` takes the same of some of the series of which `other` takes it of all."""
    operator = str(one.op)
    if operator != str(other.op) or operator not in _GROWING:
        return False
    return _subset(one.expr, other.expr)


def _subset(one: p.Expr, other: p.Expr) -> bool:
    """Whether all series of `one` are series of `other`, with the same values."""
    key = shape(other, erased=True)
    while key is not None:
        if shape(one, erased=True) == key and conditions(one) >= conditions(other):
            return True
        one = bare(one)
        if not (isinstance(one, p.BinaryExpr) and str(one.op) in _FILTERS):
            return False
        if one.modifier and (one.modifier.return_bool or (one.modifier.matching and str(one.op) in COMPARED)):
            return False
        one = one.lhs
    return False


COMPARED = _FILTERS - {"and", "unless"}
