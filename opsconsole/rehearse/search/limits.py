"""What the search cannot build incidents for, by name."""

from collections.abc import Iterator

import promql_parser as p

from opsconsole.promql import selectors
from opsconsole.promql.trees import walk

_NATIVE = frozenset(f"histogram_{what}" for what in ("fraction", "count", "sum", "avg", "stddev", "stdvar"))


def limits(tree: p.Expr) -> list[str]:
    """The parts of an expression that no incident is built for, each once, in words."""
    return list(dict.fromkeys(said for node in walk(tree) for said in _limits(node)))


def _limits(node: p.Expr) -> Iterator[str]:
    if getattr(node, "at", None) is not None:
        yield "a fixed moment (@)"
    shift = getattr(node, "offset", None)
    if shift is not None and shift.total_seconds() < 0:
        yield "a negative offset"
    if not isinstance(node, p.Call):
        return
    name = node.func.name
    if name in _NATIVE:
        yield f"native histograms ({name})"
    elif name == "histogram_quantile" and not _classic(node.args[1]):
        yield "native histograms (a quantile of what has no buckets in its name)"
    elif name == "year":
        yield "the year: promtool begins in 1970"
    elif name == "info" or node.func.experimental:
        yield f"{name}, which is experimental"


def _classic(node: p.Expr) -> bool:
    return all((one.metric or "_bucket").endswith("_bucket") for one in selectors(node))
