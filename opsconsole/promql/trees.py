"""PromQL expressions taken apart, on promql-parser's trees."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser as p

from opsconsole.errors import Nonsense

# The parser recurses without a bound and ends the whole process where its stack is full (seen from 5,000
# operators on), so what could nest is counted before, and its depth measured after.
_COULD_NEST = re.compile(r"[-+*/%^(=<>!]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
# The parser takes escapes in strings between backticks, which Prometheus takes as they are.
_RAW_OR_OTHER = re.compile(r"""`(?P<raw>[^`]*)`|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\#[^\n]*""")
_MOST_OPERATORS = 1000
_MOST_LEVELS = 150

# The name that Prometheus 2 gives to double_exponential_smoothing.
p.register_extra_functions(
    [
        p.Function(
            "holt_winters",
            [p.ValueType.Matrix, p.ValueType.Scalar, p.ValueType.Scalar],
            p.ValueType.Vector,
        )
    ]
)

_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
_ARITHMETIC = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": lambda a, b: a**b,
    "%": math.fmod,
}
_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label matcher; `operator` is =, !=, =~ or !~."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """A vector selector; `metric` is None where no single name is given, `range_seconds` where it is instant.

    `matchers` leaves out the one that gives the metric's name. `shifted`: it has an offset or an @, so it
    looks at another time than the query's.
    """

    metric: str | None
    matchers: tuple[Matcher, ...]
    range_seconds: float | None = None
    shifted: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left op threshold`, the literal always on the right; `left` is PromQL.

    `side` says where it was found: empty for the expression itself, else for instance `left of and`.
    """

    left: str
    op: str
    threshold: float
    side: str = ""


def parse(text: str) -> p.Expr:
    """The tree of an expression. Raises Nonsense with the parser's reason for what is not PromQL."""
    where = text.strip() or "an empty expression"
    if len(_COULD_NEST.findall(text)) > _MOST_OPERATORS:
        raise Nonsense(f"too long to read: more than {_MOST_OPERATORS} operators", where=f"{where[:60]} ...")
    try:
        tree: p.Expr = p.parse(_RAW_OR_OTHER.sub(_quoted, text))
    except ValueError as error:
        raise Nonsense(f"not PromQL: {error}", where=where) from None
    if _levels_exceed(tree, _MOST_LEVELS):
        raise Nonsense(f"nested more than {_MOST_LEVELS} levels deep", where=f"{where[:60]} ...")
    if any(isinstance(node, p.VectorSelector) and node.matchers.or_matchers for node in walk(tree)):
        raise Nonsense("not PromQL: `or` between label matchers is an extension of others", where=where)
    return tree


def _quoted(found: re.Match[str]) -> str:
    """A raw string as an ordinary one; other strings and comments as they are."""
    raw = found["raw"]
    return found[0] if raw is None else json.dumps(raw, ensure_ascii=False)


def _levels_exceed(tree: p.Expr, most: int) -> bool:
    level = [tree]
    for _ in range(most):
        level = [child for node in level for child in children(node)]
    return bool(level)


def pretty(text: str) -> str:
    """The expression as the parser would write it. Raises Nonsense."""
    return parse(text).prettify()


def same(a: str, b: str) -> bool:
    """Whether two expressions differ in formatting alone: white space, comments, the order of matchers, the
    way a number or a duration is written. Raises Nonsense."""
    return pretty(a) == pretty(b)


def children(tree: p.Expr) -> list[p.Expr]:
    """The expressions directly within this one."""
    match tree:
        case p.BinaryExpr():
            return [tree.lhs, tree.rhs]
        case p.AggregateExpr():
            return [tree.expr] if tree.param is None else [tree.param, tree.expr]
        case p.Call():
            return list(tree.args)
        case p.MatrixSelector():
            return [tree.vector_selector]
        case p.ParenExpr() | p.UnaryExpr() | p.SubqueryExpr():
            return [tree.expr]
    return []


def walk(tree: p.Expr) -> Iterator[p.Expr]:
    """The tree and all expressions within it, from the outside in, left to right."""
    yield tree
    for child in children(tree):
        yield from walk(child)


def selectors(tree: p.Expr) -> list[Selector]:
    """Every vector selector, left to right, also those within ranges and subqueries."""
    match tree:
        case p.MatrixSelector():
            return [selector(tree.vector_selector, tree.range.total_seconds())]
        case p.VectorSelector():
            return [selector(tree)]
    return [found for child in children(tree) for found in selectors(child)]


def selector(node: p.VectorSelector, range_seconds: float | None = None) -> Selector:
    """One vector selector of the tree."""
    matchers = [
        Matcher(m.name, _OPERATORS[str(m.op).rpartition(".")[2]], m.value) for m in node.matchers.matchers
    ]
    named = [m for m in matchers if m.label == "__name__" and m.operator == "="]
    metric = node.name or (named[0].value if named else None) or None
    return Selector(
        metric,
        tuple(m for m in matchers if node.name or m not in named[:1]),
        range_seconds,
        shifted=node.offset is not None or node.at is not None,
    )


def stood_in_for(tree: p.Expr) -> list[str]:
    """The parts in whose place a constant is put where they have no data: what `... or vector(0)` hides."""
    return [
        node.lhs.prettify()
        for node in walk(tree)
        if isinstance(node, p.BinaryExpr) and str(node.op) == "or"
        if selectors(node.lhs) and not selectors(node.rhs)
    ]


def comparison(tree: p.Expr) -> Comparison | None:
    """The outermost comparison with a number, through parentheses and the sides of and, or and unless.

    Of two, the first whose other side reads series (`hour() > 9 and errors > 3` gives the second). What
    `unless` excludes is no condition of the whole, so its right side is not looked at. None where there is
    none.
    """
    found = list(_comparisons(tree, ""))
    return next((each for each, reads in found if reads), found[0][0] if found else None)


def _comparisons(tree: p.Expr, side: str) -> Iterator[tuple[Comparison, bool]]:
    if isinstance(tree, p.ParenExpr):
        yield from _comparisons(tree.expr, side)
    if not isinstance(tree, p.BinaryExpr):
        return
    operator = str(tree.op)
    if operator in ("and", "or", "unless"):
        inner = f", {side}" if side else ""
        yield from _comparisons(tree.lhs, f"left of {operator}{inner}")
        if operator != "unless":
            yield from _comparisons(tree.rhs, f"right of {operator}{inner}")
    elif operator in _FLIPPED:
        left, right = number(tree.lhs), number(tree.rhs)
        if right is not None and left is None:
            yield Comparison(tree.lhs.prettify(), operator, right, side), bool(selectors(tree.lhs))
        elif left is not None and right is None:
            yield Comparison(tree.rhs.prettify(), _FLIPPED[operator], left, side), bool(selectors(tree.rhs))


def number(tree: p.Expr) -> float | None:
    """The value of a number, also of one that is calculated from numbers (`10 / 100`); None for all else."""
    match tree:
        case p.NumberLiteral():
            return float(tree.val)
        case p.ParenExpr():
            return number(tree.expr)
        case p.UnaryExpr():
            value = number(tree.expr)
            return None if value is None else -value
        case p.BinaryExpr() if str(tree.op) in _ARITHMETIC:
            left, right = number(tree.lhs), number(tree.rhs)
            if left is None or right is None:
                return None
            try:
                return float(_ARITHMETIC[str(tree.op)](left, right))
            except (ArithmeticError, ValueError, TypeError):
                return None
    return None
