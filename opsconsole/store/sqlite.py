"""The records in one SQLite file: write-ahead log, one transaction an entry.

The log is synchronised as SQLite advises for this mode ("NORMAL"): an entry outlives its process however
that ends; a power failure may take the last entries, and never breaks the chain.
"""

import difflib
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from opsconsole.errors import RecordsError
from opsconsole.model import (
    EffectBegun,
    Entry,
    Event,
    ItemFinished,
    Outcome,
    RunStarted,
    SignedOff,
)
from opsconsole.runview import RunView
from opsconsole.store import ItemRecord, OpenEffect, Proof, RunSummary
from opsconsole.store.chain import GENESIS, Follower, Link, link_hash
from opsconsole.store.codec import decode, encode
from opsconsole.store.opening import connect, explained

_LAST = re.compile(r"last(?:~(\d{1,9}))?")
_OUTLINE = ("RunStarted", "RunResumed", "ItemStarted", "ItemFinished", "SignedOff", "RunFinished")


class _Effect(msgspec.Struct):
    effect: str


class SqliteRecords:
    """See `opsconsole.store.Records`. Used from the thread that opened it."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._database = connect(path, read_only=read_only)

    def append(self, entry: Entry) -> None:
        kind, body = encode(entry.event)
        at = float(entry.at)
        with self._writing(entry):
            last = "SELECT position, hash FROM entry ORDER BY position DESC LIMIT 1"
            position, previous = self._database.execute(last).fetchone() or (0, GENESIS)
            hash = link_hash(previous, entry.run, entry.number, at, kind, body)
            self._database.execute(
                "INSERT INTO entry (position, run, number, at, kind, body, hash)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (position + 1, entry.run, entry.number, at, kind, body, hash),
            )

    def entries(self, run: str) -> Iterator[Entry]:
        rows = self._rows("SELECT number, at, kind, body FROM entry WHERE run = ? ORDER BY number", run)
        return (Entry(run, number, at, self._event(kind, body)) for number, at, kind, body in rows)

    def runs(self, limit: int, environment: str | None = None) -> list[RunSummary]:
        summaries: list[RunSummary] = []
        for run, start in self._started():
            if len(summaries) >= limit:
                break
            if environment in (None, start.environment):
                summaries.append(self._summary(run, start))
        return summaries

    def summary(self, run: str) -> RunSummary:
        for known, start in self._started():
            if known == run:
                return self._summary(run, start)
        raise RecordsError(f"there is no run {run!r}", where=str(self.path))

    def find(self, name: str) -> str:
        rows = self._rows("SELECT run FROM entry WHERE kind = 'RunStarted' ORDER BY position DESC")
        newest_first = [str(run) for (run,) in rows]
        if name in newest_first:
            return name
        if last := _LAST.fullmatch(name):
            meant = newest_first[int(last[1] or 0) :][:1]
        else:
            meant = [run for run in newest_first if name and run.startswith(name)]
        if len(meant) == 1:
            return meant[0]
        raise self._not_one(name, meant, newest_first)

    def item_history(self, environment: str, item: str, limit: int) -> list[ItemRecord]:
        history: list[ItemRecord] = []
        for run, start in self._started():
            if len(history) >= limit:
                break
            if start.environment == environment and any(known.id == item for known in start.items):
                history += self._item_record(run, item)
        return history

    def open_effects(self) -> list[OpenEffect]:
        left: dict[tuple[str, str], tuple[float, str]] = {}
        query = "SELECT kind, run, at, body FROM entry WHERE kind IN ('EffectBegun', 'EffectEnded')"
        for kind, run, at, body in self._rows(f"{query} ORDER BY position"):
            key = run, self._effect(body)
            if kind == "EffectBegun":
                left[key] = at, body
            else:
                left.pop(key, None)
        return [self._left(run, at, body) for (run, _), (at, body) in left.items()]

    def next_number(self, run: str) -> int:
        ((last,),) = self._rows("SELECT MAX(number) FROM entry WHERE run = ?", run)
        return (last or 0) + 1

    def hash_of(self, entry: Entry) -> str:
        rows = self._rows("SELECT hash FROM entry WHERE run = ? AND number = ?", entry.run, entry.number)
        return str(rows[0][0]) if rows else ""

    def holds(self, hash: str) -> bool:
        return bool(self._rows("SELECT position FROM entry WHERE hash = ?", hash))

    def verify(self) -> Proof:
        follower, runs = Follower(), set[str]()
        query = "SELECT position, run, number, at, kind, body, hash FROM entry ORDER BY position"
        with explained(self.path):
            for row in self._database.execute(query):
                link = Link(*row)
                follower.follow(link)
                runs.add(link.run)
        return Proof(follower.entries, len(runs), follower.head, follower.broken)

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def _writing(self, entry: Entry) -> Iterator[None]:
        """One transaction, begun as a writer's, so that what it read is still the last when it writes."""
        with explained(self.path):
            try:
                self._database.execute("BEGIN IMMEDIATE")
                yield
                self._database.execute("COMMIT")
            except sqlite3.IntegrityError as error:
                raise RecordsError(
                    f"run {entry.run} has an entry {entry.number} already",
                    where=str(self.path),
                    hint="another console has written to this run meanwhile: open it again",
                ) from error
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with explained(self.path):
            return self._database.execute(query, values).fetchall()

    def _event(self, kind: str, body: str) -> Event:
        try:
            return decode(kind, body)
        except RecordsError as error:
            raise RecordsError(error.message, where=str(self.path), hint=error.hint) from error

    def _effect(self, body: str) -> str:
        """The id of the effect, without reading the rest."""
        try:
            return msgspec.json.decode(body, type=_Effect).effect
        except msgspec.MsgspecError:
            return ""

    def _left(self, run: str, at: float, body: str) -> OpenEffect:
        begun = self._event("EffectBegun", body)
        assert isinstance(begun, EffectBegun)  # noqa: S101 - by its kind
        rows = self._rows("SELECT kind, body FROM entry WHERE run = ? AND kind = 'RunStarted'", run)
        started = (self._event(*row) for row in rows)
        names = [start.environment for start in started if isinstance(start, RunStarted)]
        return OpenEffect(run, next(iter(names), ""), begun, at)

    def _started(self) -> Iterator[tuple[str, RunStarted]]:
        """Every run with its first event, the newest first."""
        for run, body in self._rows(
            "SELECT run, body FROM entry WHERE kind = 'RunStarted' ORDER BY position DESC"
        ):
            if isinstance(start := self._event("RunStarted", body), RunStarted):
                yield run, start

    def _outline(self, run: str) -> Iterator[Entry]:
        """The run without its evidence: what became of its items."""
        places = ", ".join("?" * len(_OUTLINE))
        rows = self._rows(
            f"SELECT number, at, kind, body FROM entry WHERE run = ? AND kind IN ({places}) ORDER BY number",  # noqa: S608
            run,
            *_OUTLINE,
        )
        return (Entry(run, number, at, self._event(kind, body)) for number, at, kind, body in rows)

    def _summary(self, run: str, start: RunStarted) -> RunSummary:
        view = RunView.of(self._outline(run))
        ((head,),) = self._rows("SELECT hash FROM entry WHERE run = ? ORDER BY number DESC LIMIT 1", run)
        ((entries,),) = self._rows("SELECT COUNT(*) FROM entry WHERE run = ?", run)
        return RunSummary(
            run=run,
            environment=start.environment,
            started_at=view.started_at,
            who=start.who,
            checklist=start.checklist,
            outcomes=Counter(outcome for outcome in view.outcomes if outcome is not None),
            exit_code=view.exit_code if view.finished else None,
            entries=entries,
            head=head,
            kind=start.kind,
        )

    def _item_record(self, run: str, item: str) -> list[ItemRecord]:
        """What became of the item last in this run; nothing where it did not end."""
        record: list[ItemRecord] = []
        for entry in self._outline(run):
            match entry.event:
                case ItemFinished() as end if end.item == item:
                    record = [ItemRecord(run, entry.at, end.outcome, end.seconds, end.summary)]
                case SignedOff() as sign if sign.item == item and record:
                    outcome = Outcome.PASS if sign.passed else Outcome.FAIL
                    said = f"signed by {sign.who}: {sign.note}"
                    record = [ItemRecord(run, entry.at, outcome, record[0].seconds, said)]
        return record

    def _not_one(self, name: str, meant: list[str], newest_first: list[str]) -> RecordsError:
        if meant:
            hint = f"more letters, please: {', '.join(meant[:5])}{' …' if len(meant) > 5 else ''}"
            return RecordsError(f"{len(meant)} runs begin with {name!r}", where=str(self.path), hint=hint)
        if not newest_first:
            hint = "`opsconsole verify` makes the first"
            return RecordsError("there are no runs yet", where=str(self.path), hint=hint)
        near = difflib.get_close_matches(name, newest_first, n=1)
        hint = (
            f"did you mean {near[0]!r}?"
            if near
            else f"the last of {len(newest_first)} is {newest_first[0]!r}"
        )
        return RecordsError(f"there is no run {name!r}", where=str(self.path), hint=hint)
