"""What makes two parts of expressions the same: their shapes, without white space and parentheses.

With `erased`, the matchers of selectors are left out as far as they only choose among the series: then equal
shapes have the same value for the same labels.
"""

from collections.abc import Hashable
from dataclasses import replace

import promql_parser as p

from opsconsole.promql import Matcher
from opsconsole.promql.trees import selector
from opsconsole.rehearse.dead.ranges import ANYTHING
from opsconsole.rehearse.dead.vectors import Cover, Result

Shape = Hashable
_CHANGE_LABELS = frozenset(
    ["absent", "absent_over_time", "histogram_quantile", "histogram_fraction", "histogram_quantiles", "info",
    "label_join", "label_replace", "scalar", "vector"]
)  # fmt: skip
_SET = frozenset(["and", "or", "unless"])


def shape(node: p.Expr, *, erased: bool = False) -> Shape | None:
    """The shape of an expression; with `erased` None where that of the whole would not tell its values: a
    selector without one name, whose series may be alike but for the name."""
    match node:
        case p.ParenExpr():
            return shape(node.expr, erased=erased)
        case p.NumberLiteral() | p.StringLiteral():
            return type(node).__name__, node.val
        case p.VectorSelector():
            return _of_selector(node, erased)
        case p.MatrixSelector():
            inner = _of_selector(node.vector_selector, erased)
            return inner and ("[", inner, node.range)
        case p.SubqueryExpr():
            inner = shape(node.expr)
            return inner and ("[:", inner, node.range, node.step, node.offset, str(node.at or ""))
        case p.UnaryExpr():
            inner = shape(node.expr, erased=erased)
            return inner and ("-", inner)
        case p.Call():
            name = node.func.name
            return _row(name, node.args, erased and name not in _CHANGE_LABELS)
        case p.AggregateExpr():
            param = () if node.param is None else (shape(node.param),)
            inner = shape(node.expr)
            return inner and (str(node.op), _labels(node.modifier), param, inner)
        case p.BinaryExpr():
            return _of_binary(node, erased)
    return None


def _of_binary(node: p.BinaryExpr, erased: bool) -> Shape | None:
    operator = str(node.op)
    matched = node.modifier.matching if node.modifier else None
    apart = erased and matched is None and operator not in _SET
    return _row((operator, _modifiers(node.modifier)), [node.lhs, node.rhs], apart)


def _row(name: Shape, parts: list[p.Expr], erased: bool) -> Shape | None:
    found = tuple(shape(part, erased=erased) for part in parts)
    return None if None in found else (name, *found)


def _of_selector(node: p.VectorSelector, erased: bool) -> Shape | None:
    chosen = selector(node)
    if erased and chosen.metric is None:
        return None
    matchers = frozenset() if erased else frozenset(chosen.matchers)
    return chosen.metric or "", matchers, node.offset, str(node.at or "")


def conditions(node: p.Expr) -> frozenset[Matcher]:
    """The matchers that an erased shape leaves out."""
    match node:
        case p.VectorSelector():
            return frozenset(selector(node).matchers)
        case p.MatrixSelector():
            return conditions(node.vector_selector)
        case p.ParenExpr() | p.UnaryExpr():
            return conditions(node.expr)
        case p.Call() if node.func.name not in _CHANGE_LABELS:
            return frozenset().union(*map(conditions, node.args))
        case p.BinaryExpr() if str(node.op) not in _SET and not (node.modifier and node.modifier.matching):
            return conditions(node.lhs) | conditions(node.rhs)
    return frozenset()


def _labels(modifier: p.AggModifier | None) -> Shape:
    return (str(modifier.type), frozenset(modifier.labels)) if modifier else ("By", frozenset())


def _modifiers(modifier: p.BinModifier | None) -> Shape:
    if modifier is None:
        return None
    matching = modifier.matching
    return (
        modifier.return_bool,
        str(modifier.card),
        (str(matching.type), frozenset(matching.labels)) if matching else None,
        tuple(modifier.group_labels or ()),
        (modifier.fill_values.lhs, modifier.fill_values.rhs),
    )


def bare(node: p.Expr) -> p.Expr:
    """The expression within the parentheses."""
    while isinstance(node, p.ParenExpr):
        node = node.expr
    return node


def keyed(result: Result, node: p.Expr) -> Result:
    """The result with the key of the expression, which gives values of its own."""
    key = shape(node, erased=True)
    if key is None or result.dead:
        return result
    vectors = tuple(
        replace(one, key=key, facts={**one.facts, key: one.value.range}) for one in result.vectors
    )
    return replace(result, vectors=vectors, covers=(Cover(key, ANYTHING, conditions(node)),))
