"""The chain of hashes that makes a change of the records visible.

Each entry's hash is the SHA-256 of the JSON array [hash of the entry before, run, number, at, kind,
body], compact, in UTF-8; the first follows `GENESIS`. So an entry that was changed, removed, inserted
or moved is found by whoever computes the chain again.

What the chain alone cannot show is a tail that was cut off, or a chain computed anew from some entry on:
every report therefore prints the run's last hash. A hash that is still in an unbroken chain proves that
the run it was printed for, and everything recorded before it, is as it was.
"""

import hashlib
from dataclasses import dataclass

import msgspec

from opsconsole.store import Broken

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Link:
    """A stored entry as it stands, its event still JSON."""

    position: int
    run: str
    number: int
    at: float
    kind: str
    body: str
    hash: str


def link_hash(previous: str, run: str, number: int, at: float, kind: str, body: str) -> str:
    """The hash of an entry that follows the one with the hash `previous`."""
    return hashlib.sha256(msgspec.json.encode([previous, run, number, at, kind, body])).hexdigest()


class Follower:
    """Walks along a chain from its beginning; after the first break it only counts."""

    def __init__(self) -> None:
        self.entries = 0
        self.head = GENESIS
        self.broken: Broken | None = None

    def follow(self, link: Link) -> None:
        self.entries += 1
        if self.broken is None and (why := self._fault(link)):
            self.broken = Broken(link.position, link.run, link.number, why)
        self.head = link.hash

    def _fault(self, link: Link) -> str:
        if link.position != self.entries:
            return f"it stands where entry {self.entries} should be: that was removed, or this one inserted"
        if link.hash != link_hash(self.head, link.run, link.number, link.at, link.kind, link.body):
            return (
                "it does not follow from the entry before it: "
                "it was changed or inserted, or one before it was removed or moved"
            )
        return ""
