"""The one way of an event: redacted, on disk, then shown."""

import time
from collections.abc import Callable
from typing import Protocol

from opsconsole.checkkit import performing
from opsconsole.model import (
    EffectBegun,
    EffectEnded,
    Entry,
    Event,
    Exchange,
    ServerSeen,
)
from opsconsole.redaction import redact_event


class Sink(Protocol):
    """Where entries are kept. `append` returns when the entry is on disk."""

    def append(self, entry: Entry) -> None: ...


Reader = Callable[[Entry], None]
"""Shows entries: text, JSON, the screen. Called in the event loop, after the entry is on disk."""


class Recorder:
    """Records one run. `number` is the last number that the run has already (0 for a new one)."""

    def __init__(self, run: str, sink: Sink, *, number: int = 0) -> None:
        self.run = run
        self._sink = sink
        self._number = number
        self._readers: list[Reader] = []
        self._servers: set[str] = set()

    def add_reader(self, reader: Reader) -> None:
        self._readers.append(reader)

    def emit(self, event: Event) -> None:
        """Redact, keep, show; in this order, so that nothing is shown that could be lost."""
        entry = Entry(self.run, self._number + 1, time.time(), redact_event(event))
        self._sink.append(entry)
        self._number += 1
        for reader in self._readers:
            reader(entry)

    def exchange(self, exchange: Exchange) -> None:
        """For clients: hand an exchange to whatever has caused it, as its evidence."""
        if (performance := performing.get()) is not None:
            performance.exchanged(exchange)

    def server(self, server: str, version: str, url: str) -> None:
        """For clients: a server named its version; recorded once."""
        if server not in self._servers:
            self._servers.add(server)
            self.emit(ServerSeen(server=server, version=version, url=url))

    def effect_begun(self, effect: str, what: str, undo: str, data: dict[str, str]) -> None:
        """For `Effects`: journal an effect before it begins, under the item of the check that asks for it."""
        self.emit(EffectBegun(item=_item(), effect=effect, what=what, undo=undo, data=data))

    def effect_ended(self, effect: str, how: str) -> None:
        """For `Effects`: journal that the end of an effect was seen."""
        self.emit(EffectEnded(item=_item(), effect=effect, how=how))


def _item() -> str:
    performance = performing.get()
    return performance.item if performance is not None else ""
