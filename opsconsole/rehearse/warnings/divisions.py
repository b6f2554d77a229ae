"""Divisions by what may be 0: 0/0 is NaN, for which no comparison but != holds, and x/0 is infinite."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import promql_parser as p

from opsconsole.promql import parse, selectors
from opsconsole.promql.trees import number
from opsconsole.rehearse.model import Rule, Warned
from opsconsole.rehearse.places import Place, places, whole
from opsconsole.rehearse.warnings.comparing import Compared, compared
from opsconsole.rehearse.warnings.shares import is_mean, share
from opsconsole.rehearse.warnings.values import metric, operator, origin

Recorded = Mapping[str, Sequence[Rule]]

_MOST_RULES_DEEP = 10
_MAY_STAND_STILL = frozenset(["rate", "irate", "increase", "histogram_count"])
_SPOILED = frozenset(["sum", "avg", "stddev", "stdvar"])
_NEVER_IDLE = re.compile(r"node_cpu|node_cpu_seconds_total|windows_cpu_time_total|wmi_cpu_time_total")
_0_IS_NONE = re.compile(r"container_spec_memory_limit_bytes|redis_(?:memory_max_bytes|config_maxmemory)")
"""Limits that are exported as 0 where there is none."""

_COUNTED = re.compile(
    r".*(?:replicas|consumers|connections|requests|messages|tasks|jobs|workers|sessions|queries)(?:_\w+)?"
    r"|.*_(?:active|current|desired|running|pending)"
)
_LIMIT = re.compile(r".*(?:max|limit|capacity|total|size|quota|allocatable|resource).*", re.IGNORECASE)


def warnings(tree: p.Expr, recorded: Recorded) -> Iterator[Warned]:
    """For each division whose value is compared, and whose divisor nothing guards."""
    comparisons = list(compared(tree))
    for place in places(tree):
        if isinstance(place.node, p.BinaryExpr) and str(place.node.op) == "/":
            around = [one for one in comparisons if _lies_in(place, one.side)]
            if around and _may_be_0(place.within[1], recorded) and not _guarded(place, comparisons):
                yield _warned(place, around[-1])


def _lies_in(inner: Place, outer: Place) -> bool:
    return inner == outer or outer in inner.above


def _guarded(division: Place, comparisons: list[Compared]) -> bool:
    """Whether another comparison looks at what is divided by: its author knows that it may be 0."""
    divisors = {one.metric for one in selectors(division.within[1].node)}
    return any(
        not _lies_in(division, one.side) and divisors & {each.metric for each in selectors(one.side.node)}
        for one in comparisons
    )


def _may_be_0(place: Place, recorded: Recorded, deep: int = 0) -> bool:
    """Whether that is likely to come about, in all that is known of such values."""

    def of(inner: Place) -> bool:
        return _may_be_0(inner, recorded, deep)

    node = place.node
    match node:
        case p.BinaryExpr():
            return _of_two(place, of)
        case p.VectorSelector() | p.MatrixSelector():
            return _gauge_may_be_0(metric(place), recorded, deep)
        case p.AggregateExpr() if str(node.op) == "sum":
            return of(place.within[0])
        case p.Call() if node.func.name.startswith("clamp"):
            return False
        case p.Call() if node.func.name in _MAY_STAND_STILL:
            return not any(_NEVER_IDLE.fullmatch(one.metric or "") for one in selectors(node))
    inner = origin(place)
    return inner is not None and of(inner)


def _of_two(place: Place, of: Callable[[Place], bool]) -> bool:
    """A comparison takes the 0 out, or is meant to; of a difference nobody can tell."""
    left, right = place.within
    match operator(place):
        case "+":
            return of(left) and of(right)
        case "*":
            return of(left) or of(right)
        case "/" if number(right.node) is not None:
            return of(left)
        case "and" | "unless":
            return of(left)
    return False


def _gauge_may_be_0(name: str, recorded: Recorded, deep: int) -> bool:
    if rules := recorded.get(name):
        return deep < _MOST_RULES_DEEP and all(
            _may_be_0(whole(parse(r.expr)), recorded, deep + 1) for r in rules
        )
    if _0_IS_NONE.fullmatch(name):
        return True
    return bool(_COUNTED.fullmatch(name)) and not _LIMIT.fullmatch(name)


def _warned(division: Place, around: Compared) -> Warned:
    divisor = division.within[1].bare.text
    spoiled = next((operator(above) for above in division.above if _spoiled(above, around.side)), "")
    then = f"NaN != {around.threshold:g} always holds" if around.op == "!=" else "NaN never fires"
    if spoiled:
        told = f"while {divisor} is 0 for one series, 0/0 makes the whole {spoiled} NaN, and {then}"
    else:
        told = f"while {divisor} is 0, 0/0 is NaN, and {then}{_otherwise(division, around)}"
    return Warned(kind="division-by-nothing", summary=told, guilty=division.text, nth=division.nth)


def _spoiled(above: Place, side: Place) -> bool:
    return operator(above) in _SPOILED and _lies_in(above, side)


def _otherwise(division: Place, around: Compared) -> str:
    """What becomes of x/0, where there is an x without a divisor, and nothing but a factor stands between
    the quotient and the threshold; else what to do where that there is nothing is itself a fault."""
    fires = around.upwards or around.op == "!="
    if _nothing_without(division):
        return ": where nothing at all is a fault too, it needs an alert of its own" if fires else ""
    between = [above for above in division.above if _lies_in(above, around.side)]
    if not all(isinstance(above.node, p.ParenExpr) or _scales(above.node) for above in between):
        return ""
    return f"; anything else / 0 is infinite, which {'fires' if fires else 'does not fire'}"


def _nothing_without(division: Place) -> bool:
    """Whether what is divided is 0 as well while the divisor is."""
    divided, divisor = division.within
    above, below = (
        {(one.metric, one.range_seconds, one.shifted) for one in selectors(side.node)}
        for side in division.within
    )
    if above <= below or is_mean(divided, divisor):
        return True
    unlimited = any(_0_IS_NONE.fullmatch(name or "") for name, _, _ in below)
    return bool(share(divided, divisor)) and not unlimited


def _scales(node: p.Expr) -> bool:
    return (
        isinstance(node, p.BinaryExpr)
        and str(node.op) == "*"
        and ((number(node.lhs) or 0) > 0 or (number(node.rhs) or 0) > 0)
    )
