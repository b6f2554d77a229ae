"""What is different between two runs."""

from collections.abc import Iterator
from dataclasses import dataclass

from opsconsole.model import Hop
from opsconsole.reports import practice, trace
from opsconsole.reports.wording import about, duration, one_line
from opsconsole.runview import ItemView, RunView

_NOTABLE_SECONDS = 0.5
_NOTABLE_FACTOR = 2.0
_TIMES = frozenset(["duration", *(f"{hop} after the cause" for hop in Hop)])
"""What alone makes no two runs different."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: of an item or a server (`subject`), what is different about it, and both values; a
    value is empty where there is none. A time never makes two runs different."""

    subject: str
    what: str
    before: str
    after: str

    def __str__(self) -> str:
        return one_line(f"{self.subject}: {self.what}: {self.before or '(none)'} -> {self.after or '(none)'}")


def compare(before: RunView, after: RunView) -> list[Change]:
    """Everything that is different: environment, checklist, versions, then item by item outcome and
    findings, where an alert's signal stopped and how long after the cause it came to each hop, and durations
    that at least doubled or halved by more than half a second. Of runs of different kinds only that."""
    if before.start and after.start and before.start.kind != after.start.kind:
        return [Change("run", "kind", before.start.kind, after.start.kind)]
    changes = [*_frame(before, after), *_versions(before, after)]
    for id in dict.fromkeys([*before.items, *after.items]):
        changes += _item(id, before.items.get(id), after.items.get(id))
    return changes + _practice(before, after)


def same(changes: list[Change]) -> bool:
    """Whether nothing but times is different."""
    return all(change.what in _TIMES for change in changes)


def _frame(before: RunView, after: RunView) -> Iterator[Change]:
    if before.start is None or after.start is None:
        return
    if before.start.environment != after.start.environment:
        yield Change("run", "environment", before.start.environment, after.start.environment)
    if before.start.checklist_hash != after.start.checklist_hash:
        yield Change("run", "checklist", before.start.checklist_hash[:12], after.start.checklist_hash[:12])


def _versions(before: RunView, after: RunView) -> Iterator[Change]:
    old, new = _known_versions(before), _known_versions(after)
    for name in sorted(old | new):
        if old.get(name) != new.get(name):
            yield Change(name, "version", old.get(name, ""), new.get(name, ""))


def _known_versions(view: RunView) -> dict[str, str]:
    servers = {name: seen.version for name, seen in view.versions.items()}
    return {**(view.start.versions if view.start else {}), **servers}


def _item(id: str, before: ItemView | None, after: ItemView | None) -> Iterator[Change]:
    old, new = _outcome(before), _outcome(after)
    if old != new:
        yield Change(id, "outcome", old, new)
    had, has = _findings(before), _findings(after)
    yield from (Change(id, "finding", finding, "") for finding in had if finding not in has)
    yield from (Change(id, "finding", "", finding) for finding in has if finding not in had)
    if before and after:
        yield from _signal(id, before, after)
    if before and after and before.outcome and after.outcome:
        short, long = sorted((before.seconds, after.seconds))
        if long - short > _NOTABLE_SECONDS and long > _NOTABLE_FACTOR * short:
            yield Change(id, "duration", duration(before.seconds), duration(after.seconds))


def _practice(before: RunView, after: RunView) -> list[Change]:
    if before.start is None or before.start.kind != practice.KIND:
        return []
    both = ((id, before.items[id], after.items[id]) for id in before.items.keys() & after.items.keys())
    return [Change(id, *change) for id, old, new in both for change in practice.compared(old, new)]


def _signal(id: str, before: ItemView, after: ItemView) -> Iterator[Change]:
    """Where it stopped, and the times of each hop side by side, as far as they can be told apart."""
    old, new = _stop(before), _stop(after)
    if old != new:
        yield Change(id, "stopped", old, new)
    was = {row.hop: row.after_cause_seconds for row in trace.stations(before)}
    for row in trace.stations(after):
        earlier, later = was.get(row.hop), row.after_cause_seconds
        if earlier is None or later is None or trace.after(earlier) == trace.after(later):
            continue
        word = "slower" if later > earlier else "faster"
        difference = f"{trace.after(later)}, {word} by {trace.after(abs(later - earlier))}"
        yield Change(id, f"{row.hop} after the cause", trace.after(earlier), difference)


def _stop(item: ItemView) -> str:
    return f"before {item.missed.hop}, because {item.missed.because}" if item.missed else ""


def _outcome(item: ItemView | None) -> str:
    return "" if item is None else str(item.outcome or "not finished")


def _findings(item: ItemView | None) -> list[str]:
    """Each finding with its detail on one line, so that a diff that changed is seen."""
    found = item.findings if item else []
    return [one_line(f"{about(f)} [{f.detail}]" if f.detail else about(f)) for f in found]
