"""The way of an alert under test as rows: each hop from the cause to the inbox and back."""

from collections.abc import Collection, Iterator

from opsconsole.model import HOPS, SIGNS, Hop, HopMissed
from opsconsole.reports.wording import one_line
from opsconsole.runview import ItemView
from opsconsole.tui.text import duration, labelled, style_of, wrap
from opsconsole.tui.widgets.rows import Row, Span
from opsconsole.tui.widgets.ticking import clock, spinner
from opsconsole.tui.widgets.writing import lines

_NAME = max(map(len, Hop))
_WHEN = len("+1:00:15")
_MARGIN = 2 + _NAME + 1 + _WHEN + 2

REACHED, MISSED, WAITING, NOT_YET = "✓", "✗", "◌", "·"
"""The signs of a hop; that of the one waited for turns while time passes."""


def next_hop(item: ItemView) -> Hop | None:
    """The hop that the signal is on its way to; None where it has stopped, or is over."""
    if not item.running or item.missed:
        return None
    return next((hop for hop in Hop if hop not in item.hops), None)


def hop_rows(item: ItemView, *, width: int, now: float, over: bool, opened: Collection[str]) -> list[Row]:
    """One line a hop, in lines of `width` cells. `over`: nothing goes on any more; `opened` names the hops
    whose evidence is shown on as many lines as it takes."""
    rows: list[Row] = []
    coming = None if over else next_hop(item)
    for hop in _in_sight(item):
        if item.missed and item.missed.hop is hop:
            rows += _missed(item, item.missed, width)
        elif hop in item.hops:
            rows += _reached(item, hop, width, opened=hop in opened)
        elif hop is coming:
            rows += _coming(item, hop, width, now)
        else:
            rows.append(_line(hop, (NOT_YET, "faint"), _expected(item, hop), (HOPS[hop], "faint"), "faint"))
    if left := _left_out(item):
        rows += lines(f"not reached: {', '.join(left)}", width, "faint", mark=(f"{NOT_YET} ", "faint"))
    return rows


def track(item: ItemView, *, over: bool) -> list[Span]:
    """All hops in as many cells: ● reached, ✗ stopped before it, ◌ waited for, · not yet."""
    coming = None if over else next_hop(item)
    spans: list[Span] = []
    for hop in Hop:
        if item.missed and item.missed.hop is hop:
            spans.append(("✗", style_of(item.missed.outcome)))
        elif hop in item.hops:
            spans.append(("●", "pass"))
        else:
            spans.append((WAITING, "running") if hop is coming else (NOT_YET, "faint"))
    return spans


def passed_by(item: ItemView, *, width: int, now: float, over: bool) -> list[Row]:
    """The hops as one sentence from the cause on, for where there is no room for a line each."""
    coming = None if over else next_hop(item)
    words: list[Span] = []
    for hop in Hop:
        if item.missed and item.missed.hop is hop:
            words.append((f"{SIGNS[item.missed.outcome]} {hop}", style_of(item.missed.outcome)))
        elif hop in item.hops:
            words.append((f"{REACHED} {hop} {since_cause(item, hop)}", "pass"))
        elif hop is coming:
            words.append((f"{spinner(now)} {hop} {clock(item, now)}", "running"))
        else:
            words.append((f"{NOT_YET} {hop}", "faint"))
    return _flowing(words, width)


def since_cause(item: ItemView, hop: Hop) -> str:
    """When the hop was reached, counted from the cause: +0.4 s; empty where the cause was never there."""
    cause = item.hops.get(Hop.CAUSE)
    if cause is None:
        return ""
    if hop is Hop.CAUSE:
        return "0 s"
    seconds = item.hops[hop].reached_at - cause.reached_at
    return f"-{duration(-seconds)}" if seconds < 0 else f"+{duration(seconds)}"


def stopped_here(missed: HopMissed, width: int, indent: str = "") -> Iterator[Row]:
    """Why the signal stopped, what was looked at to know, and what to do."""
    style = style_of(missed.outcome)
    yield from lines(f"stopped here, because {one_line(missed.because)}", width, style, indent=indent)
    for looked in missed.looked_at:
        yield from lines(one_line(looked), width, "faint", mark=("looked at ", "faint"), indent=indent)
    if missed.remedy:
        yield from lines(one_line(missed.remedy), width, mark=("→ ", "link"), indent=indent)


def _in_sight(item: ItemView) -> list[Hop]:
    """Every hop, but of a test that has stopped or ended only those that something is known of."""
    if item.outcome is None and item.missed is None:
        return list(Hop)
    return [hop for hop in Hop if hop in item.hops or (item.missed and item.missed.hop is hop)]


def _left_out(item: ItemView) -> list[Hop]:
    shown = _in_sight(item)
    return [hop for hop in Hop if hop not in shown] if item.started_at is not None else []


def _reached(item: ItemView, hop: Hop, width: int, *, opened: bool) -> list[Row]:
    evidence = one_line(item.hops[hop].evidence)
    first, *more = (wrap(evidence, max(16, width - _MARGIN)) if opened else []) or [evidence]
    row = _line(hop, (REACHED, "pass"), since_cause(item, hop), (first, ""), key=hop)
    return [row, *(Row(((" " * _MARGIN, ""), (line, ""))) for line in more)]


def _coming(item: ItemView, hop: Hop, width: int, now: float) -> list[Row]:
    said = one_line(item.waiting) or HOPS[hop]
    left = f"{clock(item, now)}: " if item.waiting else ""
    return [
        _line(hop, (spinner(now), "running"), _expected(item, hop), (f"{left}{said}", "running"), "running")
    ]


def _missed(item: ItemView, missed: HopMissed, width: int) -> list[Row]:
    sign, style = labelled(missed.outcome).split()[0], style_of(missed.outcome)
    head = Row(((f"{sign} {missed.hop:<{_NAME}} ", style), (f"{missed.outcome}", style)))
    return [head, *stopped_here(missed, width, "  ")]


def _line(hop: Hop, sign: Span, when: str, said: Span, style: str = "strong", key: str = "") -> Row:
    mark, colour = sign
    spans = (f"{mark} ", colour), (f"{hop:<{_NAME}} ", style), (f"{when:>{_WHEN}}  ", "faint"), said
    return Row(spans, key=key)


def _expected(item: ItemView, hop: Hop) -> str:
    """When the plan expects it, for the hops that it knows of: ~12 s."""
    if (plan := item.plan) is None:
        return ""
    seconds = {
        Hop.PENDING: plan.pending_seconds,
        Hop.FIRING: plan.firing_seconds,
        Hop.DELIVERED: plan.notified_seconds,
        Hop.RESOLVED: plan.resolved_seconds,
    }.get(hop)
    return f"~{duration(seconds)}" if seconds else ""


def _flowing(words: list[Span], width: int) -> list[Row]:
    rows: list[Row] = []
    line: list[Span] = []
    used = 0
    for word, style in words:
        if line and used + 2 + len(word) > width:
            rows.append(Row(tuple(line)))
            line, used = [], 0
        line += [("  ", ""), (word, style)] if line else [(word, style)]
        used += len(word) + 2 * bool(used)
    return [*rows, Row(tuple(line))] if line else rows
