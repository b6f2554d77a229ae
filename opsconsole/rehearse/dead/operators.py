"""What an operator can give."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import promql_parser as p

from opsconsole.rehearse.dead import comparing, joins
from opsconsole.rehearse.dead.ranges import COMPARISONS, FLIPPED
from opsconsole.rehearse.dead.shapes import keyed
from opsconsole.rehearse.dead.values import calculated
from opsconsole.rehearse.dead.vectors import UNKNOWN, Number, Result, Term, Value, Vector

if TYPE_CHECKING:
    from opsconsole.rehearse.dead.judge import Judge


def binary(node: p.BinaryExpr, judge: "Judge") -> Term:
    left, right = judge.term(node.lhs), judge.term(node.rhs)
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(_operated(node, left.value, right.value), (*left.deaths, *right.deaths))
    if isinstance(left, Result) and isinstance(right, Number):
        return _with_number(node, left, right, flipped=False)
    if isinstance(left, Number) and isinstance(right, Result):
        return _with_number(node, right, left, flipped=True)
    if not isinstance(left, Result) or not isinstance(right, Result):
        return UNKNOWN
    if node.modifier and _fills(node.modifier):
        return UNKNOWN
    return joins.joined(node, str(node.op), left, right, judge)


def _fills(modifier: p.BinModifier) -> bool:
    """Whether one side's series go on without a match."""
    return modifier.fill_values.lhs is not None or modifier.fill_values.rhs is not None


def _operated(node: p.BinaryExpr, left: Value, right: Value) -> Value:
    operator = str(node.op)
    if operator in COMPARISONS:
        return comparing.truth(node, operator, left, right)
    return calculated(operator, left, right)


def _with_number(node: p.BinaryExpr, result: Result, number: Number, *, flipped: bool) -> Result:
    operator = str(node.op)
    if result.dead:
        return result
    if operator in COMPARISONS and not comparing.gives_truth(node):
        return comparing.filtered(node, FLIPPED[operator] if flipped else operator, result, number, flipped)

    def value(one: Vector) -> Value:
        left, right = (number.value, one.value) if flipped else (one.value, number.value)
        return _operated(node, left, right)

    return valued(result, node, value)


def valued(result: Result, node: p.Expr, value: Callable[[Vector], Value]) -> Result:
    """The same series with other values, which are those of the expression `node`."""
    vectors = tuple(replace(one, value=value(one), key=None) for one in result.vectors)
    return keyed(replace(result, vectors=vectors), node)
