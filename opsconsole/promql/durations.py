"""The durations of an expression changed, and nothing else of it."""

from collections.abc import Callable
from datetime import timedelta

import promql_parser as p

from opsconsole.promql.trees import parse

Change = Callable[[float], float]


def with_durations(text: str, change: Change, change_window: Change | None = None) -> str:
    """The expression with all durations of its tree changed, as the parser would write it.

    These are the ranges, the steps of subqueries and the offsets, the latter with their sign; `change` takes
    and gives seconds, of which a thousandth is the smallest part. `change_window` is for ranges, where they
    are to change in another way. A moment (`@`) stays. An offset that becomes nothing is left out. Raises
    Nonsense for what is not PromQL, and ValueError where a range or a step does not stay above nothing.
    """
    of_window = change_window or change

    def changed(node: p.Expr) -> p.Expr | None:
        match node:
            case p.VectorSelector():
                return p.parse(bare(node) + shift(node.at, _changed(node.offset, change)))
            case p.MatrixSelector():  # its selector is changed already
                inner = node.vector_selector
                window = display(_above_nothing(node.range, of_window))
                return p.parse(f"{bare(inner)}[{window}]{shift(inner.at, inner.offset)}")
            case p.SubqueryExpr():
                window = display(_above_nothing(node.range, of_window)) if node.range else ""
                step = display(_above_nothing(node.step, change)) if node.step else ""
                shifted = shift(node.at, _changed(node.offset, change))
                return p.parse(f"{node.expr.prettify()}[{window}:{step}]{shifted}")
        return None

    return p.transform(parse(text), None, changed).prettify()


def display(duration: timedelta) -> str:
    """A duration as Prometheus writes it, for example `1s270ms`."""
    return p.display_duration(duration)


def _changed(duration: timedelta | None, change: Change) -> timedelta | None:
    return None if duration is None else _milliseconds(change(duration.total_seconds()))


def _above_nothing(duration: timedelta, change: Change) -> timedelta:
    changed = _milliseconds(change(duration.total_seconds()))
    if changed <= timedelta(0):
        raise ValueError(f"a range or step of {display(duration)} must stay above nothing")
    return changed


def _milliseconds(seconds: float) -> timedelta:
    return timedelta(milliseconds=round(1000 * seconds))


def bare(selector: p.VectorSelector) -> str:
    """The selector without its offset and moment, as the parser writes it."""
    return selector.prettify().removesuffix(shift(selector.at, selector.offset))


def shift(at: p.AtModifier | None, offset: timedelta | None) -> str:
    """The end of a selector or subquery, in the order and form in which the parser writes it."""
    moment = f" {at}" if at else ""
    if not offset:
        return moment
    sign = "-" if offset < timedelta(0) else ""
    return f"{moment} offset {sign}{display(abs(offset))}"
