"""Expressions of time alone: what `hour()` and its like are at a moment."""

import calendar
import math
from collections.abc import Callable
from datetime import UTC, datetime

import promql_parser as p

from opsconsole.promql.trees import number, walk
from opsconsole.rehearse.search.arithmetic import COMPARISONS, calculated

CALENDAR: dict[str, Callable[[datetime], int]] = {
    "minute": lambda at: at.minute,
    "hour": lambda at: at.hour,
    "day_of_week": lambda at: at.isoweekday() % 7,
    "day_of_month": lambda at: at.day,
    "day_of_year": lambda at: at.timetuple().tm_yday,
    "days_in_month": lambda at: calendar.monthrange(at.year, at.month)[1],
    "month": lambda at: at.month,
    "year": lambda at: at.year,
}
"""What Prometheus' functions of a time give, in UTC."""


def at(name: str, moment: float) -> float:
    """The calendar function at unix seconds."""
    return float(CALENDAR[name](datetime.fromtimestamp(moment, UTC)))


def value(node: p.Expr, moment: float) -> float | None:
    """What an expression that reads no series gives at a moment: NaN where a comparison leaves nothing of it.
    None where it reads series, or is no number."""
    match node:
        case p.NumberLiteral():
            return float(node.val)
        case p.ParenExpr():
            return value(node.expr, moment)
        case p.UnaryExpr():
            inner = value(node.expr, moment)
            return None if inner is None else -inner
        case p.BinaryExpr():
            return _operated(node, moment)
        case p.Call():
            return _called(node, moment)
    return None


def _called(node: p.Call, moment: float) -> float | None:
    name, arguments = node.func.name, [value(one, moment) for one in node.args]
    if name == "time":
        return moment
    if name == "pi":
        return math.pi
    if name in CALENDAR and not arguments:
        return at(name, moment)
    if any(one is None for one in arguments) or not arguments:
        return None
    first = arguments[0] or 0.0
    if name in CALENDAR:
        return at(name, first) if math.isfinite(first) else math.nan
    if name == "abs":
        return abs(first)
    if name in ("ceil", "floor") and math.isfinite(first):
        return float(math.ceil(first) if name == "ceil" else math.floor(first))
    return first if name in ("vector", "scalar", "sort", "sort_desc") else None


def _operated(node: p.BinaryExpr, moment: float) -> float | None:
    left, right = value(node.lhs, moment), value(node.rhs, moment)
    if left is None or right is None:
        return None
    op = str(node.op)
    if op == "and":
        return math.nan if math.isnan(right) else left
    if op == "or":
        return right if math.isnan(left) else left
    if op == "unless":
        return left if math.isnan(right) else math.nan
    result = calculated(op, left, right)
    if op in COMPARISONS and not (node.modifier and node.modifier.return_bool):
        return left if result else math.nan
    return result


def reads_the_calendar(tree: p.Expr) -> bool:
    return any(isinstance(node, p.Call) and node.func.name in CALENDAR for node in walk(tree))


def reads_the_time(tree: p.Expr) -> bool:
    return any(isinstance(node, p.Call) and node.func.name in ("time", "timestamp") for node in walk(tree))


def thresholds(tree: p.Expr) -> float:
    """The largest number that something is compared with; 0 without one."""
    compared = [
        side
        for node in walk(tree)
        if isinstance(node, p.BinaryExpr) and str(node.op) in COMPARISONS
        for side in (node.lhs, node.rhs)
    ]
    return max((abs(known) for side in compared if (known := number(side)) is not None), default=0.0)


def longest_number(tree: p.Expr) -> float:
    """The largest finite number in the expression, calculated ones (`7 * 86400`) included; 0 without one."""
    found = [abs(value) for node in walk(tree) if (value := number(node)) is not None]
    return max((value for value in found if value < 1e15), default=0.0)
