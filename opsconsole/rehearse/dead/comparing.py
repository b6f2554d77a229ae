"""Comparisons: what they leave, what they give with `bool`, and when they can never be true."""

from dataclasses import replace

import promql_parser as p

from opsconsole.rehearse.dead import words
from opsconsole.rehearse.dead.clocks import ALL_DAYS, ALWAYS, Clock, When
from opsconsole.rehearse.dead.ranges import (
    COMPARISONS,
    Range,
    Why,
    bound_why,
    certain,
    possible,
    refined,
)
from opsconsole.rehearse.dead.ranges import truth as truth_of
from opsconsole.rehearse.dead.shapes import bare
from opsconsole.rehearse.dead.values import by_calendar
from opsconsole.rehearse.dead.vectors import Cover, Death, Number, Result, Value, Vector, gathered

_TOO_FEW = frozenset(["==", "<", "<="])


def gives_truth(node: p.BinaryExpr) -> bool:
    """Whether it is a comparison with `bool`, which takes nothing away."""
    return bool(node.modifier and node.modifier.return_bool)


def truth(node: p.BinaryExpr, op: str, left: Value, right: Value) -> Value:
    """What the comparison gives with `bool`."""
    return Value(truth_of(op, left.range, right.range, words.shown(node)), _clock(op, left, right))


def filtered(node: p.BinaryExpr, op: str, result: Result, number: Number, flipped: bool) -> Result:
    """What a comparison with a number leaves of a vector; `flipped`: the number stands on the left, and `op`
    is what it would be if it stood on the right."""
    if number.deaths and number.value.range.numberless and op != "!=":
        return Result(deaths=number.deaths)
    subject = node.rhs if flipped else node.lhs
    left = [filter_(node, op, one, number.value, subject) for one in result.vectors]
    covers = tuple(
        Cover(cover.key, refined(op, cover.range, number.value.range, _asked(node)), cover.matchers)
        for cover in result.covers
        if op != "!=" and number.value.range.single is not None and _stands_for(cover, result)
    )
    return replace(gathered(left), sure=_sure(op, result, number.value, node), covers=covers)


def _stands_for(cover: Cover, result: Result) -> bool:
    return all(one.key == cover.key for one in result.vectors)


def filter_(node: p.BinaryExpr, op: str, one: Vector, other: Value, subject: p.Expr) -> Vector | Death:
    """What a comparison leaves of the series of a vector."""
    if not possible(op, one.value.range, other.range):
        return impossible(node, op, one.value.range, other.range, subject)
    when = one.when.meet(_moments(op, one.value, other, node))
    if when.never:
        return Death(
            "contradiction", f"{words.shown(node)} excludes the rest: at no time are both true", node
        )
    kept = replace(one.value, range=refined(op, one.value.range, other.range, _asked(node)))
    return replace(one.valued(kept), when=when)


def _asked(node: p.Expr) -> Why:
    return Why(f"{words.shown(node)} is asked for too", "contradiction")


def _sure(op: str, result: Result, other: Value, node: p.Expr) -> int:
    if not result.sure or len(result.vectors) != 1:
        return 0
    one = result.vectors[0].value
    if certain(op, one.range, other.range):
        return result.sure
    clock = _clock(op, one, other)
    when = _moments(op, one, other, node)
    return result.sure & when.minutes if clock and when.days == ALL_DAYS else 0


def _moments(op: str, left: Value, right: Value, node: p.Expr) -> When:
    """The moments at which the comparison can be true."""
    clock = _clock(op, left, right)
    if clock is None:
        return ALWAYS
    when = clock.when(bool, node)
    return ALWAYS if when.always else when


def _clock(op: str, left: Value, right: Value) -> Clock | None:
    """The course of a comparison that goes by the calendar alone: 1 where it is true, else 0."""
    compare = COMPARISONS[op]
    return by_calendar(left, right, lambda one, other: float(compare(one, other)))


def impossible(node: p.BinaryExpr, op: str, left: Range, right: Range, subject: p.Expr) -> Death:
    """Why a comparison is never true: of `left`, the range of `subject`, with `right`."""
    why = None if right.numberless else bound_why(op, left, right)
    number = right.single
    text = f"{words.shown(node)} is never true"
    if number is not None and not isinstance(bare(subject), p.NumberLiteral):
        text = f"{words.shown(subject)} is {words.never(op, number)}"
    if right.numberless:
        text = f"{text}: NaN is neither more nor less than anything, nor equal to it"
    return Death(
        why.kind if why else "out-of-range", f"{text}: {why.text}" if why else text, node,
        _correction(op, left, right, bare(subject)), why.guess if why else "",
    )  # fmt: skip


def _correction(op: str, left: Range, right: Range, subject: p.Expr) -> str:
    """The condition that was probably meant."""
    number = right.single
    if number is None:
        return ""
    if isinstance(subject, p.AggregateExpr) and str(subject.op) == "count" and op in _TOO_FEW:
        return f"absent({subject.expr})"
    if left.high_why and left.high_why.kind == "above-highest-bucket" and op in (">", ">="):
        return f"{subject} >= {words.number(left.high)}"
    if op in (">", ">=") and left.high_why and (left.low, left.high) == (0, 1) and 1 < number <= 100:
        return f"{subject} {op} {words.number(number / 100)}"
    return ""
