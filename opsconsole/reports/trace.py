"""An alert test in words: its plan, its hops, its readings; what every format shows of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from opsconsole.model import AlertPlan, Hop, HopMissed
from opsconsole.reports.wording import duration, one_line
from opsconsole.runview import ItemView

CANNOT = "CANNOT"
"""The label of a plan's row that says why it cannot succeed."""

_THE_WAY_DOWN = ("<", "<=", "==")
"""Comparisons that a falling value fulfils: what is compared with == is counted down to zero."""


@dataclass(frozen=True, slots=True)
class Station:
    """A hop as a row: `at` in unix seconds, None where it was missed; `after_cause_seconds`, None before the
    cause and where none came; `said` is its evidence, or why the signal stopped there."""

    hop: Hop
    at: float | None
    after_cause_seconds: float | None
    said: str

    @property
    def missed(self) -> bool:
        return self.at is None


def after(seconds: float) -> str:
    """A time that was measured: `0.42 s`, `12.3 s`; from 100 s on `15 min 20 s`, `6 h`."""
    return duration(seconds) if seconds < 100 else lasting(seconds)


def lasting(seconds: float) -> str:
    """See `opsconsole.checkkit.lasting`, which is loaded when it is needed."""
    from opsconsole.checkkit import lasting as in_words

    return in_words(seconds)


def number(value: float | None) -> str:
    """A value as the rule has it, with four digits: `0.104`, `1.25`, `12345`."""
    if value is None:
        return "no value"
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"


def stations(item: ItemView) -> list[Station]:
    """The hops that the signal has reached, in their order, and the one before which it stopped."""
    cause = item.hops.get(Hop.CAUSE)
    rows = []
    for hop in Hop:
        if reached := item.hops.get(hop):
            since = None if cause is None or hop is Hop.STEADY else reached.reached_at - cause.reached_at
            rows.append(Station(hop, reached.reached_at, since, one_line(reached.evidence)))
        if item.missed and item.missed.hop is hop:
            rows.append(Station(hop, None, None, stopped(item.missed)))
    return rows


def elapsed(item: ItemView, at: float) -> str:
    """How long after the cause a moment is, `+4.20 s`; before it, how long after the item's start."""
    if cause := item.hops.get(Hop.CAUSE):
        since = at - cause.reached_at
        return after(since) if since <= 0 else f"+{after(since)}"
    return after(at - item.started_at) if item.started_at is not None else ""


def stopped(missed: HopMissed) -> str:
    """Why the signal went no further, in one line."""
    return one_line(f"stopped here, because {missed.because}")


def below_missed(missed: HopMissed) -> Iterator[str]:
    """What was looked at to know why it stopped, and what to do."""
    yield from (one_line(f"looked at {what}") for what in missed.looked_at)
    if missed.remedy:
        yield one_line(f"to do: {missed.remedy}")


def readings(item: ItemView) -> str:
    """How the value was held and what that took, in one line; empty where nothing was measured."""
    if not item.readings:
        return ""
    plan, last = item.plan or AlertPlan(alert=item.summary.id), item.readings[-1]
    values = [reading.value for reading in item.readings if reading.value is not None]
    word, furthest = ("lowest", min) if plan.op in _THE_WAY_DOWN else ("highest", max)
    value = f"{word} {number(furthest(values))}" if values else "never a value"
    over = sum(reading.over for reading in item.readings)
    taken = _requests(last.sent + last.passing)
    if last.passing:
        taken += f", {last.passing} of them passing"
    if plan.fewest:
        taken += f"; the fewest: {plan.fewest}"
    return one_line(f"{value}{_bounds(plan)}, over it in {over} of {len(item.readings)} readings; {taken}")


def _bounds(plan: AlertPlan) -> str:
    limits = []
    if plan.threshold is not None:
        limits.append(f"threshold {number(plan.threshold)}")
    if plan.ceiling is not None:
        limits.append(f"ceiling {number(plan.ceiling)}")
    return f" ({', '.join(limits)})" if limits else ""


def plan_rows(plan: AlertPlan) -> list[tuple[str, str]]:
    """The plan as labels and what they say, each in one line; what there is nothing to say of is left out."""
    rows = [
        ("rule", _rule(plan)),
        ("now", _now(plan)),
        ("sends", plan.sends),
        ("rate", _rate(plan)),
        ("leaves", f"{plan.objects} test objects, removed at the end" if plan.objects else ""),
        ("times", _times(plan)),
        ("notifies", ", ".join(plan.recipients)),
        ("beside", ", ".join(plan.beside)),
        ("after", ", ".join(plan.after)),
    ]
    for obstacle in plan.obstacles:
        rows.append((CANNOT, obstacle.summary))
        rows.append(("to do", obstacle.remedy))
    return [(label, one_line(said)) for label, said in rows if said]


def _rule(plan: AlertPlan) -> str:
    held = f", for {lasting(plan.for_seconds)}" if plan.for_seconds else ", at once"
    labels = ", ".join(f"{name}={value}" for name, value in plan.labels.items())
    return f"{plan.expr}{held}{f'; {labels}' if labels else ''}" if plan.expr else ""


def _now(plan: AlertPlan) -> str:
    if plan.threshold is None:
        return ""
    below = f", held below {number(plan.ceiling)}" if plan.ceiling is not None else ""
    return f"{number(plan.value)}; fires {plan.op} {number(plan.threshold)}{below}"


def _rate(plan: AlertPlan) -> str:
    parts = [f"{plan.first} at once"] if plan.first else []
    if plan.per_second:
        parts.append(f"{number(plan.per_second)} a second")
    how = ", then ".join(parts)
    if plan.hold_seconds:
        how = f"{how} for {lasting(plan.hold_seconds)}".strip()
    fewest = f", the fewest: {plan.fewest}" if plan.fewest else ""
    return f"{how}: about {_requests(plan.requests)}{fewest}" if plan.requests else how


def _requests(count: int) -> str:
    return f"{count} request{'' if count == 1 else 's'}"


def _times(plan: AlertPlan) -> str:
    after = {
        "pending": plan.pending_seconds,
        "firing": plan.firing_seconds,
        "notified": plan.notified_seconds,
        "resolved": plan.resolved_seconds,
    }
    return ", ".join(f"{word} after {lasting(seconds)}" for word, seconds in after.items() if seconds)
