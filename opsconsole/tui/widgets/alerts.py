"""An alert under test as a row of the list: its sign, the hop that it is at now, its name, its track."""

from collections.abc import Iterable

from rich.cells import cell_len

from opsconsole.model import Hop
from opsconsole.reports.wording import one_line
from opsconsole.runview import ItemView
from opsconsole.tui.text import duration, labelled, style_of
from opsconsole.tui.widgets.hops import track
from opsconsole.tui.widgets.rows import Row, Span
from opsconsole.tui.widgets.ticking import clock, spinner

_WORDS = {
    Hop.STEADY: "at rest",
    Hop.ALERTMANAGER: "alerting",
    Hop.RECEIVER: "notified",
    Hop.DELIVERED: "in inbox",
}
"""A hop in eight letters, where its own name is longer."""

_MARK = len("✓ SIGN-OFF")
_EDGES = 2
"""Cells that a row leaves free: where the selection is marked, and at the right edge."""


def alert_row(item: ItemView, now: float, *, over: bool, column: int) -> Row:
    """The item's row, with its track from this column on; 0: with its time instead, or where it stopped."""
    mark, style = _mark(item, now, over=over)
    title = (one_line(item.summary.title), "" if item.started_at is not None else "faint")
    spans: tuple[Span, ...] = ((f"{mark} ", style), title)
    if item.started_at is None:
        return Row(spans, _expected(item), item.summary.id)
    if not column:
        return Row(spans, _short(item, now, over=over), item.summary.id)
    gap = column - cell_len(f"{mark} {title[0]}")
    return Row((*spans, (" " * gap, ""), *track(item, over=over)), key=item.summary.id)


def track_column(items: Iterable[ItemView], width: int) -> int:
    """Where the tracks begin in a list of `width` cells; 0 where they would cut the longest name."""
    longest = max((cell_len(one_line(item.summary.title)) for item in items), default=0)
    column = width - _EDGES - len(Hop)
    return column if column > _MARK + 1 + longest else 0


def _mark(item: ItemView, now: float, *, over: bool) -> Span:
    if item.outcome is not None:
        return labelled(item.outcome), style_of(item.outcome)
    if item.started_at is None:
        barred = item.plan.obstacles if item.plan else ()
        if barred:
            return f"{labelled(barred[0].outcome)[0]} {'cannot':<8}", style_of(barred[0].outcome)
        return f"· {'not run' if over else 'planned' if item.plan else 'waiting':<8}", "faint"
    if over:
        return "· cut off ", "unknown"
    return f"{spinner(now)} {at_hop(item):<8}", "running"


def at_hop(item: ItemView) -> str:
    """The furthest hop that the signal has reached, in at most eight letters."""
    hop = next((hop for hop in reversed(Hop) if hop in item.hops), None)
    return _WORDS.get(hop, hop.value) if hop else "running"


def _expected(item: ItemView) -> Span:
    """How long after the cause the plan expects the message."""
    seconds = item.plan.notified_seconds if item.plan and not item.plan.obstacles else 0.0
    return (f"~{duration(seconds)}", "faint") if seconds else ("", "")


def _short(item: ItemView, now: float, *, over: bool) -> Span:
    if item.missed:
        return f"at {item.missed.hop}", style_of(item.missed.outcome)
    if item.outcome is not None:
        return duration(item.seconds), "faint"
    return ("", "") if over else (clock(item, now), "running")
