"""Fractions that are compared with percentages, and percentages that are compared with fractions."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import promql_parser as p

from opsconsole.promql import parse, selectors
from opsconsole.promql.trees import number
from opsconsole.rehearse.model import Rule, Warned
from opsconsole.rehearse.places import Place, whole
from opsconsole.rehearse.warnings.comparing import Compared, compared
from opsconsole.rehearse.warnings.shares import share
from opsconsole.rehearse.warnings.values import metric, origin

Recorded = Mapping[str, Sequence[Rule]]

_MOST_RULES_DEEP = 10
_RATIO = re.compile(r".*_ratio")
_OWN_RATIO = re.compile(r".*(?:compression|amplification|growth|change|load|overcommit|burn).*")
_PERCENT = re.compile(r".*_(?:percent|percentage|pct)")
_CPU_TIME = re.compile(r"node_cpu(?:_seconds_total)?|windows_cpu_time_total|wmi_cpu_time_total")


@dataclass(frozen=True, slots=True)
class _Scale:
    """`over` is the least threshold that speaks for the other scale, `why` completes "the value is"."""

    kind: Literal["fraction", "percentage"]
    why: str
    over: float = 1.0


def warnings(tree: p.Expr, recorded: Recorded) -> Iterator[Warned]:
    for comparison in compared(tree):
        scale = _scale(comparison.side, recorded)
        if scale and (warned := _mismatch(comparison, scale)):
            yield warned


def _mismatch(comparison: Compared, scale: _Scale) -> Warned | None:
    threshold = comparison.threshold
    if scale.kind == "fraction" and scale.over < threshold <= 100:
        meant, told = threshold / 100, f"{threshold:g} looks like a percentage"
    elif scale.kind == "percentage" and 0 < threshold < 1:
        meant, told = threshold * 100, f"{threshold:g} looks like a fraction"
    else:
        return None
    return Warned(
        kind="percentage-fraction",
        summary=f"the value is a {scale.kind} ({scale.why}), and {told}: is {meant:g} meant?",
        guilty=comparison.place.text,
        nth=comparison.place.nth,
        correction=comparison.against(meant),
    )


def _scale(place: Place, recorded: Recorded, deep: int = 0) -> _Scale | None:
    node = place.node

    def of(inner: Place) -> _Scale | None:
        return _scale(inner, recorded, deep)

    if inner := origin(place):
        return of(inner)
    match node:
        case p.VectorSelector() | p.MatrixSelector():
            return _named(metric(place), recorded, deep)
        case p.Call() if node.func.name in ("rate", "irate"):
            return _time_share(node)
        case p.BinaryExpr():
            return _of_two(place, str(node.op), of)
    return None


def _named(name: str, recorded: Recorded, deep: int) -> _Scale | None:
    if rules := recorded.get(name):
        if deep >= _MOST_RULES_DEEP:
            return None
        found = {_scale(whole(parse(rule.expr)), recorded, deep + 1) for rule in rules}
        return found.pop() if len(found) == 1 else None
    if _RATIO.fullmatch(name) and not _OWN_RATIO.fullmatch(name):
        return _Scale("fraction", f"by the name {name}", over=5)
    return _Scale("percentage", f"by the name {name}") if _PERCENT.fullmatch(name) else None


def _time_share(call: p.Call) -> _Scale | None:
    if any(_CPU_TIME.fullmatch(one.metric or "") for one in selectors(call)):
        return _Scale("fraction", "the share of a processor's time")
    return None


def _of_two(place: Place, operator: str, of: Callable[[Place], _Scale | None]) -> _Scale | None:
    left, right = place.within
    low, high = number(left.node), number(right.node)
    if operator == "*" and 100 in (low, high):
        return _hundredfold(right if low == 100 else left, of)
    if operator == "/":
        return _quotient(left, right, high, of)
    if operator == "-" and low in (1, 100):
        rest = of(right)
        return rest if rest and rest.kind == ("fraction" if low == 1 else "percentage") else None
    if operator == "or":
        return of(left) if of(left) == of(right) else None
    return None


def _hundredfold(place: Place, of: Callable[[Place], _Scale | None]) -> _Scale | None:
    inner, bare = of(place), place.bare
    if inner:
        return _Scale("percentage", "it is multiplied by 100") if inner.kind == "fraction" else None
    divides = isinstance(bare.node, p.BinaryExpr) and str(bare.node.op) == "/"
    return _Scale("percentage", "it is multiplied by 100") if divides and _two_vectors(bare) else None


def _quotient(
    left: Place, right: Place, divisor: float | None, of: Callable[[Place], _Scale | None]
) -> _Scale | None:
    if divisor is not None:
        inner = of(left)
        return (
            _Scale("fraction", inner.why, 5)
            if divisor == 100 and inner and inner.kind != "fraction"
            else None
        )
    bare = left.bare
    if isinstance(bare.node, p.BinaryExpr) and str(bare.node.op) == "*":
        if 100 in (number(bare.node.lhs), number(bare.node.rhs)):
            return _Scale("percentage", "it is multiplied by 100")
        return None
    match share(left, right):
        case "certain":
            return _Scale("fraction", "a part of its whole")
        case "likely":
            return _Scale("fraction", "by the names a part of its whole", over=5)
    return None


def _two_vectors(division: Place) -> bool:
    return all(number(side.node) is None for side in division.within)
