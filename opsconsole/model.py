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


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run began. `checklist_hash` is the SHA-256 of the checklist's file; `effects` tells whether
    checks that act were allowed; `versions` are those of opsconsole and Python."""

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
        RunStarted, RunResumed, ServerSeen, ItemStarted, Exchanged, Observed, Found, Waiting, Diagnosed,
        ItemFinished, EffectBegun, EffectEnded, SignedOff, RunFinished,
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in its place: the run, its number in the run from 1, its time."""

    run: str
    number: int
    at: float
    event: Event
