"""The records of all runs: append-only, chained by hash, behind one small interface."""

import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from opsconsole.model import EffectBegun, Entry, Outcome

__all__ = [
    "Broken",
    "ItemRecord",
    "OpenEffect",
    "Proof",
    "Records",
    "RunSummary",
    "default_path",
    "new_run_id",
    "open_records",
]

_UNMISTAKABLE = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run in one line.

    `started_at` is in unix seconds; `outcomes` counts the items of each outcome there is; `exit_code` is
    that of the outcomes as they now are, sign-offs included, and None while the run is not finished (or
    was cut off); `head` is the hash of its last entry; `kind` is that of `RunStarted`.
    """

    run: str
    environment: str
    started_at: float
    who: str
    checklist: str
    outcomes: Mapping[Outcome, int]
    exit_code: int | None
    entries: int
    head: str
    kind: str = "verify"


class ItemRecord(NamedTuple):
    """What became of an item in one run: when (unix seconds), after how many seconds, in one line."""

    run: str
    at: float
    outcome: Outcome
    seconds: float
    summary: str


class OpenEffect(NamedTuple):
    """An effect without a recorded end: the run that began it, its environment, and when (unix seconds)."""

    run: str
    environment: str
    begun: EffectBegun
    at: float


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place where the chain does not hold; `run` and `number` are of the entry found there."""

    position: int
    run: str
    number: int
    why: str

    def __str__(self) -> str:
        return f"entry {self.position} (run {self.run}, number {self.number}): {self.why}"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a walk along the whole chain saw; `head` is the hash of the last entry."""

    entries: int
    runs: int
    head: str
    first_broken: Broken | None


class Records(Protocol):
    """All runs. A method that cannot do its work raises RecordsError with the path and what to do."""

    def append(self, entry: Entry) -> None:
        """Keep an entry. When this returns, killing the process does not lose it.

        A number that the run has already is refused: another console has written to it meanwhile.
        """

    def entries(self, run: str) -> Iterator[Entry]:
        """The run's entries in order; none for a run that is not there."""

    def runs(self, limit: int, environment: str | None = None) -> list[RunSummary]:
        """The runs that started last, the newest first."""

    def summary(self, run: str) -> RunSummary:
        """One run; `run` is its full id."""

    def find(self, name: str) -> str:
        """The id of the run meant by `name`: an id, the beginning of one, `last`, or `last~1` for the one
        before it. Raises RecordsError naming the nearest, or all that begin so."""

    def item_history(self, environment: str, item: str, limit: int) -> list[ItemRecord]:
        """What became of an item in the environment's past runs, the newest first."""

    def open_effects(self) -> list[OpenEffect]:
        """What any run has begun and not ended, the oldest first; of a run that still goes on, too."""

    def next_number(self, run: str) -> int:
        """The number for the run's next entry; 1 for a new run."""

    def hash_of(self, entry: Entry) -> str:
        """The hash under which an entry is kept, which anchors it and all before it."""

    def holds(self, hash: str) -> bool:
        """Whether some entry has this hash: so that one printed in a report can be looked up."""

    def verify(self) -> Proof:
        """Compute the whole chain again."""

    def close(self) -> None: ...


def open_records(path: Path | None = None, *, read_only: bool = False) -> Records:
    """Open the records at `path` (None: `default_path()`), making them where there are none yet.

    Raises RecordsError: no right to write, not a database, another program's, a newer opsconsole's; with
    `read_only` also where there are none.
    """
    from opsconsole.store.sqlite import SqliteRecords

    return SqliteRecords(path or default_path(), read_only=read_only)


def default_path() -> Path:
    """`records.db` in the user's state folder, by the XDG base directory specification."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (state if state.is_absolute() else Path("~/.local/state").expanduser()) / "opsconsole/records.db"


def new_run_id(now: float | None = None) -> str:
    """A new id such as `20261122-1716-7k3q`: the minute in UTC, so that ids sort, and four random characters
    out of 32, so that two consoles do not meet. [a-z0-9-] alone: it also stands in mails and labels."""
    minute = time.strftime("%Y%m%d-%H%M", time.gmtime(time.time() if now is None else now))
    return f"{minute}-{''.join(secrets.choice(_UNMISTAKABLE) for _ in range(4))}"
