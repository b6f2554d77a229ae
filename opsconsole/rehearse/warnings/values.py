"""What a part of an expression has its values from."""

import promql_parser as p

from opsconsole.promql.trees import number, selector
from opsconsole.rehearse.places import Place
from opsconsole.rehearse.warnings.comparing import FLIPPED

_FUNCTIONS = frozenset(
    ["avg_over_time", "min_over_time", "max_over_time", "last_over_time", "quantile_over_time", "abs",
     "round", "ceil", "floor", "sort", "sort_desc", "clamp", "clamp_min", "clamp_max",
     "label_replace", "label_join", "scalar"]
)  # fmt: skip
_AGGREGATIONS = frozenset(["avg", "min", "max", "quantile", "topk", "bottomk"])


def origin(place: Place) -> Place | None:
    """The part whose values these are, or a choice or mean of them, in its scale and unit; None where they
    are calculated, or read from series."""
    node = place.node
    match node:
        case p.ParenExpr() | p.SubqueryExpr():
            return place.within[0]
        case p.AggregateExpr() if str(node.op) in _AGGREGATIONS:
            return place.within[-1]
        case p.Call() if node.func.name in _FUNCTIONS:
            return place.within[1 if node.func.name == "quantile_over_time" else 0]
        case p.BinaryExpr() if str(node.op) in ("and", "unless") or filters(node):
            return place.within[0]
    return None


def filters(tree: p.BinaryExpr) -> bool:
    """Whether it lets through what passes a comparison with a number, as it is."""
    returns_bool = tree.modifier is not None and tree.modifier.return_bool
    return str(tree.op) in FLIPPED and number(tree.rhs) is not None and not returns_bool


def metric(place: Place) -> str:
    """The name that is selected here, over a range or not; empty where none is."""
    node = place.node.vector_selector if isinstance(place.node, p.MatrixSelector) else place.node
    return (selector(node).metric or "") if isinstance(node, p.VectorSelector) else ""


def operator(place: Place) -> str:
    """Of an operator between two sides or of an aggregation its name, else empty."""
    return str(place.node.op) if isinstance(place.node, p.BinaryExpr | p.AggregateExpr) else ""
