"""Requests that are sent together, a bounded number at a time; none is in flight when the fault has ended."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from opsconsole.clients.http import Answer
from opsconsole.errors import Refused, Unseen
from opsconsole.faults import Unexpected

ANY_STATUS = tuple(range(100, 600))

_T = TypeVar("_T")
_AT_A_TIME = 12
_LANDED_WITHIN_SECONDS = 10.0


class Requests:
    """The requests of one fault, some at a time. `sent` counts them, `lost` those that no answer came to."""

    def __init__(self, at_a_time: int = _AT_A_TIME) -> None:
        self.sent = 0
        self.lost = 0
        self._gate = asyncio.Semaphore(at_a_time)
        self._stopped = False
        self._in_flight: set[asyncio.Task[object]] = set()

    async def together(self, send: Callable[[], Awaitable[_T]], count: int) -> list[_T]:
        """Send so many and wait for all. The first that goes wrong ends it: what has not been sent yet is not
        sent any more, and what is in flight is left to `landed`; the same goes for a cancellation.

        Raises what `send` raises, what was seen (Unexpected) before what could not be seen.
        """
        tasks = [asyncio.create_task(self._one(send)) for _ in range(count)]
        self._in_flight.update(tasks)
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION) if tasks else ((), ())
        except asyncio.CancelledError:
            self._stopped = True
            raise
        if errors := [error for task in done if not task.cancelled() and (error := task.exception())]:
            raise min(errors, key=lambda error: not isinstance(error, Unexpected))
        self._in_flight.difference_update(tasks)
        return [task.result() for task in tasks]

    async def landed(self) -> str:
        """Send nothing more, and wait until all are answered; what is not answered in time is given up. Says
        what became of them."""
        self._stopped = True
        tasks, self._in_flight = self._in_flight, set()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_LANDED_WITHIN_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        without = f", {self.lost} without an answer" if self.lost else ""
        return f"none of {self.sent} requests is in flight any more{without}"

    async def _one(self, send: Callable[[], Awaitable[_T]]) -> _T:
        async with self._gate:
            if self._stopped:
                raise asyncio.CancelledError
            self.sent += 1
            try:
                return await send()
            except BaseException as error:
                self._stopped = True
                unanswered = (Unseen, asyncio.CancelledError)
                self.lost += isinstance(error, unanswered) and not isinstance(error, Refused)
                raise


def let_in(answer: Answer, key: str) -> Answer:
    """The answer, unless it says that the key does not open this: then nothing was seen of the alert. Raises
    Refused."""
    if answer.status in (401, 403):
        raise Refused(
            f"answered {answer.status}: {'not logged in' if answer.status == 401 else 'not permitted'}",
            where=answer.where,
            hint=f"service.{key} must be a key that may do this",
        )
    return answer


def unexpected(answer: Answer, instead: str, *, hint: str = "") -> Unexpected:
    """What to raise for an answer that was not counted on; `instead` is what was."""
    said = " ".join(answer.text.split())[:160]
    told = f"answered {answer.status}, not {instead}{f': {said}' if said else ''}"
    return Unexpected(told, where=answer.where, hint=hint)


def first(told: Iterable[str]) -> str:
    """One line for what came of several requests: the different answers, each once."""
    return " or ".join(dict.fromkeys(told))
