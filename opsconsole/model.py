"""What a run is: items, findings, exchanges, and the events that tell of them.

Everything here is frozen and does no I/O. A run is its events: the engine emits them, the store keeps
them, and text, JSON and the screen are readers of the same stream (`opsconsole.runview` folds them).
Times are unix seconds, durations are seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What became of an item; the words are those that every output begins with."""

    PASS = "PASS"
    FAIL = "FAIL"
    SKIP = "SKIP"
    UNKNOWN = "UNKNOWN"
    SIGN_OFF = "SIGN-OFF"
    BROKEN = "BROKEN"


_WORST_FIRST = (Outcome.FAIL, Outcome.BROKEN, Outcome.UNKNOWN, Outcome.SIGN_OFF, Outcome.PASS, Outcome.SKIP)

SIGNS = {
    Outcome.PASS: "✓",
    Outcome.FAIL: "✗",
    Outcome.SKIP: "–",
    Outcome.UNKNOWN: "?",
    Outcome.SIGN_OFF: "✎",
    Outcome.BROKEN: "‼",
}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome of an item with several checks: the worst of theirs; a SKIP beside a PASS is a PASS."""
    return min(outcomes, key=_WORST_FIRST.index, default=Outcome.SKIP)


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """0 all passed or were skipped for a reason; 1 something failed; 3 nothing failed, but something is
    unknown, broken, unsigned, or there was nothing to see at all."""
    seen = set(outcomes)
    if Outcome.FAIL in seen:
        return 1
    return 0 if seen and seen <= {Outcome.PASS, Outcome.SKIP} else 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    `summary` is one line; `subject` names the alert, panel, target ... it is about; `detail` may have
    many lines (a diff); `remedy` is what to do about it.
    """

    summary: str
    subject: str = ""
    detail: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that was seen and is right: the evidence on which a PASS rests."""

    text: str
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, as they went over the wire, redacted.

    `response_body` is cut; `response_bytes` and `response_sha256` are of the whole body as it came.
    `error` is set where no usable answer came. `repeats` names the exchange whose answer served again.
    """

    id: str
    server: str
    method: str
    url: str
    request_headers: dict[str, str] = field(default_factory=dict)
    request_body: str = ""
    status: int | None = None
    response_type: str = ""
    response_body: str = ""
    response_bytes: int = 0
    response_sha256: str = ""
    at: float = 0.0
    seconds: float = 0.0
    error: str = ""
    repeats: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSummary:
    """An item of a checklist as a run knew it; `checks` are the ids of its checks, which are also the
    names of their runbook pages."""

    id: str
    title: str
    section: str
    checks: tuple[str, ...]


class Hop(StrEnum):
    """A station of a signal on its way from a cause to a person and back to rest, in order."""

    STEADY = "steady"
    CAUSE = "cause"
    METRIC = "metric"
    PENDING = "pending"
    FIRING = "firing"
    ALERTMANAGER = "alertmanager"
    RECEIVER = "receiver"
    DELIVERED = "delivered"
    STOPPED = "stopped"
    RESOLVED = "resolved"
    NOTICE = "notice"
    CLEAN = "clean"


HOPS = {
    Hop.STEADY: "the alert is at rest and its way is clear",
    Hop.CAUSE: "the cause is there",
    Hop.METRIC: "the metric is over the threshold",
    Hop.PENDING: "the rule has seen it",
    Hop.FIRING: "it has held for as long as the rule asks",
    Hop.ALERTMANAGER: "Alertmanager holds the alert",
    Hop.RECEIVER: "Alertmanager has notified its receivers",
    Hop.DELIVERED: "the message is where a person sees it",
    Hop.STOPPED: "the cause has ended",
    Hop.RESOLVED: "the alert is at rest again",
    Hop.NOTICE: "the resolved notice is where a person sees it",
    Hop.CLEAN: "nothing of the test is left",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Why a plan cannot succeed: seen to be wrong (FAIL), or not to be seen or done here (UNKNOWN). `hop` is
    the one that the signal would not reach."""

    outcome: Outcome
    summary: str
    remedy: str = ""
    hop: Hop = Hop.STEADY


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPlan:
    """What testing one alert means, known before anything is sent. Times count from the first request,
    `resolved_seconds` from the end of the cause.

    The rule as loaded: `expr`, `for_seconds`, `labels`, and its comparison `left` `op` `threshold` with
    `value` as it is now (None: no value); `ceiling` is the threshold of the next alert on the same left
    side, which the test stays below. `fault` names what is done (empty: nothing can be done here), `sends`
    tells it in words with its address: `first` requests at once, then `per_second` for `hold_seconds`, in
    all about `requests` where arithmetic needs `fewest`, leaving `objects` test objects to be removed.
    `recipients` will be notified; `beside` tells what else would fire; `after` names the alerts that are
    tested before this one, because they share a metric; `obstacles` why it cannot succeed.
    """

    alert: str
    group: str = ""
    expr: str = ""
    for_seconds: float = 0.0
    labels: dict[str, str] = field(default_factory=dict)
    left: str = ""
    op: str = ""
    threshold: float | None = None
    ceiling: float | None = None
    value: float | None = None
    fault: str = ""
    sends: str = ""
    first: int = 0
    per_second: float = 0.0
    hold_seconds: float = 0.0
    requests: int = 0
    fewest: int = 0
    objects: int = 0
    pending_seconds: float = 0.0
    firing_seconds: float = 0.0
    notified_seconds: float = 0.0
    resolved_seconds: float = 0.0
    recipients: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run began. `kind` is verify, alert-test, alert-send, cleanup or practise. `checklist_hash` is the
    SHA-256 of the checklist's file; `effects` tells whether anything may be changed; `versions` are those of
    opsconsole and Python."""

    run: str
    environment: str
    protected: bool
    effects: bool
    checklist: str
    checklist_hash: str
    items: tuple[ItemSummary, ...]
    who: str
    host: str
    versions: dict[str, str]
    kind: str = "verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed:
    """A run that was cut off goes on; items without an outcome are done again."""

    who: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSeen:
    """A server named its version."""

    server: str
    version: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStarted:
    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    item: str
    exchange: Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    item: str
    seen: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    item: str
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A check waits for something, at most `within_seconds` from the event's time."""

    item: str
    what: str
    within_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What testing the alert means, before anything is sent."""

    item: str
    plan: AlertPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A reading of the left side of the rule's comparison, at the scrape of `scraped_at`.

    `value` is None where there is none, or none that is finite; `over` tells whether the comparison holds;
    `sent` and `passing` count the requests so far, those that bring the cause about and those that only go
    with them."""

    item: str
    scraped_at: float
    value: float | None
    over: bool
    sent: int
    passing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HopReached:
    """The signal was seen at a hop. `reached_at` is when it came there, by the clock of the server that tells
    it, and `evidence` what was seen, in one line."""

    item: str
    hop: Hop
    reached_at: float
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HopMissed:
    """The signal stopped before this hop: FAIL where that was seen, UNKNOWN where it could not be seen.
    `looked_at` is what was looked at to know, a line each."""

    item: str
    hop: Hop
    outcome: Outcome
    because: str
    looked_at: tuple[str, ...] = ()
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosed:
    """A diagnosis step of an item that did not pass: another check, run against the same servers."""

    item: str
    check: str
    title: str
    outcome: Outcome
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFinished:
    """The item's outcome; `summary` is one line; `question` is what a person is asked at SIGN-OFF."""

    item: str
    outcome: Outcome
    summary: str
    seconds: float
    question: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectBegun:
    """Written before something is changed. `undo` says how it is taken back, `data` what that needs."""

    item: str
    effect: str
    what: str
    undo: str
    data: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectEnded:
    """Written when the end of an effect was seen, not when it was asked for."""

    item: str
    effect: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOff:
    """A judgement on an item. `by_person` is false where an environment's configuration signed."""

    item: str
    who: str
    passed: bool
    note: str
    by_person: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    exit_code: int
    seconds: float


Event = (
    RunStarted
    | RunResumed
    | ServerSeen
    | ItemStarted
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
    | SignedOff
    | RunFinished
)

EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        RunStarted, RunResumed, ServerSeen, ItemStarted, Exchanged, Observed, Found, Waiting, Planned,
        Measured, HopReached, HopMissed, Diagnosed, ItemFinished, EffectBegun, EffectEnded, SignedOff,
        RunFinished,
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in its place: the run, its number in the run from 1, its time."""

    run: str
    number: int
    at: float
    event: Event
