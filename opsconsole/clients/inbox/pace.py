"""What a provider's API asks of its callers: not too often, and to wait when it says so."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from opsconsole.clients.http import Answer, Http
from opsconsole.clients.inbox import Message
from opsconsole.errors import Refused

MOST_PAGES = 10
"""Pages that are read of one listing; the newest come first, and only those matter."""

_TOO_MANY = 429
_ATTEMPTS = 3
_LONGEST_SECONDS = 30.0
_UNSAID_SECONDS = 5.0


class Told(NamedTuple):
    """A message, and the whole text that it is found by."""

    text: str
    message: Message


class Newest:
    """The newest messages of a provider, asked for at most once in `every_seconds`, for all who want to know
    meanwhile: seven alerts that are followed side by side ask as often as one.

    `ask` tells those that came at a moment (unix seconds) or later.
    """

    def __init__(self, ask: Callable[[float], Awaitable[list[Told]]], *, every_seconds: float) -> None:
        self._ask = ask
        self._every_seconds = every_seconds
        self._one_at_a_time = asyncio.Lock()
        self._since = float("inf")
        self._asked_at = float("-inf")
        self._told: list[Told] = []

    async def find(self, text: str, since: float) -> list[Message]:
        """Those that contain `text` and came at `since` or later, oldest first. Raises what `ask` raises."""
        async with self._one_at_a_time:
            if since < self._since or time.monotonic() - self._asked_at >= self._every_seconds:
                since_first = min(since, self._since)
                self._told = await self._ask(since_first)
                self._since, self._asked_at = since_first, time.monotonic()
        found = [told.message for told in self._told if text in told.text and told.message.at >= since]
        return sorted(found, key=lambda message: message.at)


async def patient_get(
    http: Http, path: str, params: Mapping[str, Any], *, headers: Mapping[str, str] | None = None
) -> Answer:
    """GET; a few times more where the provider says that it is asked too often, after the time it names.
    Raises as `Http.get`, and Refused where it goes on saying so."""
    for _ in range(_ATTEMPTS):
        answer = await http.get(path, params, headers=headers, accept=(200, _TOO_MANY))
        if answer.status != _TOO_MANY:
            return answer
        await asyncio.sleep(_named_seconds(answer))
    raise Refused("says that it is asked too often", where=answer.where, hint="try again in some minutes")


def _named_seconds(answer: Answer) -> float:
    """Slack's Retry-After, or PagerDuty's ratelimit-reset: seconds."""
    named = answer.headers.get("retry-after") or answer.headers.get("ratelimit-reset") or ""
    return min(float(named), _LONGEST_SECONDS) if named.isdecimal() else _UNSAID_SECONDS
