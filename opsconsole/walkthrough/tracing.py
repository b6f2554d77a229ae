"""One alert under test, as it is recorded: its hops, its waits, and the exchanges that show them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from opsconsole.model import (
    Event,
    Exchange,
    Exchanged,
    Hop,
    HopMissed,
    HopReached,
    Outcome,
    Waiting,
)

_T = TypeVar("_T")
_KEPT = 24
_REMEMBERED = 400


class Stopped(Exception):
    """The signal stopped before `hop`: FAIL where that was seen, UNKNOWN where it could not be seen."""

    def __init__(
        self, hop: Hop, because: str, *, outcome: Outcome = Outcome.FAIL,
        looked_at: tuple[str, ...] = (), remedy: str = "",
    ) -> None:  # fmt: skip
        super().__init__(because)
        self.hop, self.because, self.outcome = hop, because, outcome
        self.looked_at, self.remedy = looked_at, remedy


@dataclass
class Evidence:
    """The last exchanges of a whole run by id: an answer that served several alerts is found again."""

    _by_id: dict[str, Exchange] = field(default_factory=dict)

    def remember(self, exchange: Exchange) -> Exchange:
        """Keep an exchange; for one that only repeats another, that other one is returned."""
        if exchange.repeats:
            return self._by_id.get(exchange.repeats, exchange)
        self._by_id[exchange.id] = exchange
        if len(self._by_id) > _REMEMBERED:
            del self._by_id[next(iter(self._by_id))]
        return exchange


@dataclass
class Tracing:
    """What `performing` is while one alert is tested.

    A test asks the same questions again and again, so of each the last answer alone is kept, and recorded
    when a hop rests on it: when it was reached or missed.
    """

    item: str
    emit: Callable[[Event], None]
    evidence: Evidence = field(default_factory=Evidence)
    hops: dict[Hop, HopReached] = field(default_factory=dict)
    doubt: str = ""
    _kept: dict[tuple[str, str, str, str], Exchange] = field(default_factory=dict)

    def exchanged(self, exchange: Exchange) -> None:
        """See `opsconsole.checkkit.Performance`."""
        exchange = self.evidence.remember(exchange)
        question = (exchange.server, exchange.method, exchange.url, exchange.request_body)
        self._kept.pop(question, None)
        self._kept[question] = exchange
        if len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]

    def waits(self, what: str, within_seconds: float) -> None:
        """See `opsconsole.checkkit.Performance`."""
        self.emit(Waiting(item=self.item, what=what, within_seconds=within_seconds))

    def doubts(self, why: str) -> None:
        """See `opsconsole.checkkit.Performance`."""
        self.doubt = self.doubt or why

    def reached(self, hop: Hop, evidence: str, at: float | None = None) -> HopReached:
        """The signal was seen at `hop`, where it came at `at` (unix seconds; None: just now)."""
        self._flush()
        reached = HopReached(
            item=self.item, hop=hop, reached_at=time.time() if at is None else at, evidence=evidence
        )
        self.hops[hop] = reached
        self.emit(reached)
        return reached

    def missed(self, stopped: Stopped) -> None:
        """The signal stopped."""
        self._flush()
        self.emit(
            HopMissed(
                item=self.item,
                hop=stopped.hop,
                outcome=stopped.outcome,
                because=stopped.because,
                looked_at=stopped.looked_at,
                remedy=stopped.remedy,
            )
        )

    @property
    def next_hop(self) -> Hop:
        """The hop that comes after those reached."""
        hops = list(Hop)
        last = max((hops.index(hop) for hop in self.hops), default=-1)
        return hops[min(last + 1, len(hops) - 1)]

    async def until(
        self,
        condition: Callable[[], Awaitable[_T | None]],
        *,
        within_seconds: float,
        every_seconds: float,
        what: str,
        expected_seconds: float | None = None,
    ) -> _T | None:
        """Ask until `condition` answers something true, None when the time is over. A hop's time is what this
        is for, so the pause stays the same. The countdown is to when the hop is expected, where that is
        known."""
        clock = asyncio.get_running_loop().time
        deadline, shown = clock() + within_seconds, False
        while not (answer := await condition()):
            if clock() >= deadline:
                return None
            if not shown:
                self.waits(what, deadline - clock() if expected_seconds is None else expected_seconds)
                shown = True
            await next_look(every_seconds)
        return answer

    def _flush(self) -> None:
        for exchange in self._kept.values():
            self.emit(Exchanged(item=self.item, exchange=exchange))
        self._kept.clear()


async def next_look(every_seconds: float) -> None:
    """Sleep until the next moment for a look: the same for all that look as often, so that questions which
    several alerts have are asked once (the door shares them while an answer is on its way)."""
    await asyncio.sleep(every_seconds - asyncio.get_running_loop().time() % every_seconds)
