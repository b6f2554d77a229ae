"""Is a division that of a part by its whole?"""

import re
from dataclasses import dataclass
from typing import Literal

import promql_parser as p

from opsconsole.promql import Selector, selectors
from opsconsole.promql.trees import number, selector
from opsconsole.rehearse.places import Place
from opsconsole.rehearse.warnings.values import filters

Share = Literal["certain", "likely", ""]

_SUMS = ("sum", "count")
_WHOLES = frozenset(
    ["total", "size", "max", "maximum", "limit", "limits", "capacity", "allocatable", "quota"]
)
_PARTS = frozenset(
    ["err", "errs", "error", "errors", "fail", "fails", "failed", "failure", "failures", "timeout",
     "timeouts", "rejected", "drop", "dropped", "drops", "blocked", "rollback", "rollbacks", "discarded",
     "denied", "aborted", "lost", "missed", "misses", "hits"]
)  # fmt: skip
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is done to the selectors of one side, groupings and filters left out."""

    text: str
    selected: tuple[Selector, ...]
    filtered: bool = False


def share(part: Place, divisor: Place) -> Share:
    """Whether the quotient lies between 0 and 1: certain where both sides are sums over series of one metric
    of which the divisor takes all, or where the part is an addend of the divisor; likely by their names."""
    left, right = part.bare, divisor.bare
    if left.text in _addends(right):
        return "certain"
    if isinstance(left.node, p.BinaryExpr) and str(left.node.op) == "-":
        whole, rest = left.within
        return "likely" if whole.bare.text == right.text and number(rest.node) is None else ""
    some, all_ = _shape(left.node), _shape(right.node)
    if some and all_ and some.text == all_.text and _within(some, all_):
        return "certain"
    return "likely" if _by_names(left.node, right.node) else ""


def is_mean(summed: Place, counted: Place) -> bool:
    """Whether the quotient is the mean of what a histogram or a summary observed."""
    one = [each.metric or "" for each in selectors(summed.node)]
    other = [each.metric or "" for each in selectors(counted.node)]
    return len(one) == len(other) == 1 and one[0].endswith("_sum") and other[0] == f"{one[0][:-4]}_count"


def _addends(place: Place) -> list[str]:
    if isinstance(place.node, p.BinaryExpr) and str(place.node.op) == "+":
        return [text for inner in place.within for text in (_addends(inner.bare) or [inner.bare.text])]
    return []


def _within(some: _Shape, all_: _Shape) -> bool:
    """Whether each selector of the one takes a part of what that of the other takes."""
    if len(some.selected) != 1 or len(all_.selected) != 1 or all_.filtered:
        return False
    part, whole = some.selected[0], all_.selected[0]
    if part.metric is None or whole.metric is None:
        return False
    narrowed = frozenset(part.matchers) > frozenset(whole.matchers)
    same = frozenset(part.matchers) == frozenset(whole.matchers)
    if whole.metric.endswith("_count") and part.metric == whole.metric.removesuffix("_count") + "_bucket":
        return narrowed
    return part.metric == whole.metric and (narrowed or (same and some.filtered))


def _shape(tree: p.Expr, filtered: bool = False) -> _Shape | None:
    match tree:
        case p.ParenExpr():
            return _shape(tree.expr)
        case p.VectorSelector():
            return None if tree.offset or tree.at else _Shape("selector", (selector(tree),))
        case p.MatrixSelector():
            inner = tree.vector_selector
            if inner.offset or inner.at:
                return None
            return _Shape(f"[{tree.range.total_seconds():g}]", (selector(inner),))
        case p.AggregateExpr() if str(tree.op) in _SUMS:
            within = _shape(tree.expr)
            return within and _Shape(f"{tree.op}({within.text})", within.selected, within.filtered)
        case p.Call() if tree.func.name in ("rate", "irate", "increase"):
            within = _shape(tree.args[0])
            return within and _Shape(f"{tree.func.name}({within.text})", within.selected)
        case p.BinaryExpr() if filters(tree):
            within = _shape(tree.lhs)
            return within and _Shape(within.text, within.selected, True)
    return None


def _by_names(part: p.Expr, divisor: p.Expr) -> bool:
    parts, wholes = selectors(part), selectors(divisor)
    if len(parts) != 1 or len(wholes) != 1 or not parts[0].metric or not wholes[0].metric:
        return False
    if (parts[0].range_seconds is None) != (wholes[0].range_seconds is None):
        return False
    one, other = _words(parts[0].metric), _words(wholes[0].metric)
    if parts[0].range_seconds is None:
        return bool(other & _WHOLES) and not one & _WHOLES
    return bool(one & _PARTS) and not other & _PARTS and parts[0].range_seconds == wholes[0].range_seconds


def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(name))
