"""A run as its events tell it: the one fold that reports, the screen, `--resume` and `runs show` share."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from opsconsole.model import (
    AlertPlan,
    Diagnosed,
    EffectBegun,
    EffectEnded,
    Entry,
    Exchange,
    Exchanged,
    Finding,
    Found,
    Hop,
    HopMissed,
    HopReached,
    ItemFinished,
    ItemStarted,
    ItemSummary,
    Measured,
    Observed,
    Outcome,
    Planned,
    RunFinished,
    RunResumed,
    RunStarted,
    Seen,
    ServerSeen,
    SignedOff,
    Waiting,
    exit_code,
)


@dataclass(slots=True)
class ItemView:
    """One item: what it is, and what has become of it so far (`outcome` None: not finished).

    An alert under test has a `plan`, the `hops` that its signal has reached, the one that it `missed`, and
    the `readings` of its value.
    """

    summary: ItemSummary
    started_at: float | None = None
    outcome: Outcome | None = None
    text: str = ""
    question: str = ""
    seconds: float = 0.0
    waiting: str = ""
    waiting_until: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    diagnosis: list[Diagnosed] = field(default_factory=list)
    sign_off: SignedOff | None = None
    plan: AlertPlan | None = None
    hops: dict[Hop, HopReached] = field(default_factory=dict)
    missed: HopMissed | None = None
    readings: list[Measured] = field(default_factory=list)

    @property
    def running(self) -> bool:
        return self.started_at is not None and self.outcome is None


@dataclass(slots=True)
class RunView:
    """A run so far. Feed it entries in order; nothing else changes it."""

    start: RunStarted | None = None
    started_at: float = 0.0
    last_at: float = 0.0
    items: dict[str, ItemView] = field(default_factory=dict)
    versions: dict[str, ServerSeen] = field(default_factory=dict)
    open_effects: dict[str, EffectBegun] = field(default_factory=dict)
    finished: RunFinished | None = None
    resumed: int = 0

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "RunView":
        view = cls()
        for entry in entries:
            view.feed(entry)
        return view

    @property
    def outcomes(self) -> list[Outcome | None]:
        return [item.outcome for item in self.items.values()]

    @property
    def exit_code(self) -> int:
        """As `opsconsole.model.exit_code`; an item without an outcome counts as unknown."""
        return exit_code(outcome or Outcome.UNKNOWN for outcome in self.outcomes)

    def unfinished(self) -> Iterator[str]:
        """Ids of the items that have no outcome yet, in the checklist's order."""
        return (id for id, item in self.items.items() if item.outcome is None)

    def feed(self, entry: Entry) -> ItemView | None:
        """Take the next entry in; returns the item that it changed, if it was about one."""
        self.last_at = entry.at
        match entry.event:
            case RunStarted() as start:
                self.start, self.started_at = start, entry.at
                self.items = {item.id: ItemView(item) for item in start.items}
            case RunResumed():
                self.resumed += 1
                self.finished = None
            case RunFinished() as finished:
                self.finished = finished
            case ServerSeen() as server:
                self.versions[server.server] = server
            case about_item:
                return self._feed_item(entry.at, about_item)
        return None

    def _feed_item(
        self,
        at: float,
        event: ItemStarted
        | Exchanged
        | Observed
        | Found
        | Waiting
        | Planned
        | Measured
        | HopReached
        | HopMissed
        | Diagnosed
        | ItemFinished
        | EffectBegun
        | EffectEnded
        | SignedOff,
    ) -> ItemView | None:
        item = self.items.get(event.item)
        if item is None:
            return None
        match event:
            case ItemStarted():
                item = self.items[event.item] = ItemView(item.summary, started_at=at, plan=item.plan)
                self.finished = None
            case Exchanged():
                item.exchanges.append(event.exchange)
            case Observed():
                item.seen.append(event.seen)
            case Found():
                item.findings.append(event.finding)
            case Waiting():
                item.waiting, item.waiting_until = event.what, at + event.within_seconds
            case Planned():
                item.plan = event.plan
            case Measured():
                item.readings.append(event)
            case HopReached():
                item.hops[event.hop], item.waiting = event, ""
            case HopMissed():
                item.missed, item.waiting = event, ""
            case Diagnosed():
                item.diagnosis.append(event)
            case ItemFinished():
                item.outcome, item.text, item.seconds = event.outcome, event.summary, event.seconds
                item.question, item.waiting = event.question, ""
            case EffectBegun():
                self.open_effects[event.effect] = event
            case EffectEnded():
                self.open_effects.pop(event.effect, None)
            case SignedOff():
                item.sign_off = event
                item.outcome = Outcome.PASS if event.passed else Outcome.FAIL
        return item
