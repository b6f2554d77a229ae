"""The test hooks of a service: what its README calls them, and how they are asked."""

import json as json_text
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from opsconsole import config
from opsconsole.clients.http import Answer
from opsconsole.faults import Doses, Means
from opsconsole.faults._bracket import bearer, journalled, unset
from opsconsole.faults._requests import ANY_STATUS, Requests, first, let_in, unexpected

_END_WITHIN_SECONDS = 30.0


def unavailable(settings: config.Service, *keys: str) -> str:
    """Why a fault that goes through the test hooks cannot be done; `keys` are other settings it needs."""
    return unset(settings, "test_hooks", "api_key", *keys)


def path(settings: config.Service, hook: str) -> str:
    return f"{settings.test_hooks.rstrip('/')}/{hook}"


def address(settings: config.Service, hook: str) -> str:
    """Where a hook is, in full."""
    at = path(settings, hook)
    return at if at.startswith(("http://", "https://")) else f"{settings.url.rstrip('/')}{at}"


async def pull(means: Means, hook: str, told: dict[str, Any]) -> Answer:
    """POST to a hook. Raises Unexpected for any answer but 200, Refused where the key does not open it."""
    answer = await means.service.post(
        path(means.settings, hook), json=told, headers=bearer(means.settings), accept=ANY_STATUS
    )
    if let_in(answer, "api_key").status != 200:
        raise unexpected(
            answer, f"200 to {json_text.dumps(told)}", hint="does service.test_hooks lead to its test hooks?"
        )
    return answer


class _Pulls:
    """A fault of one hook that does as many at once as it is told."""

    def __init__(self, means: Means, hook: str, told: Mapping[str, int]) -> None:
        bearer(means.settings)
        self._means = means
        self._hook = hook
        self._told = told
        self._requests = Requests()

    async def give(self, bad: int, passing: int) -> str:
        """See `Doses`; one request does for all. There are no passing ones."""
        told = {**self._told, "count": bad}
        return first(await self._requests.together(lambda: self._pull(told), min(bad, 1)))

    async def end(self) -> str:
        """How it has ended: nothing is to be taken back."""
        return await self._requests.landed()

    async def _pull(self, told: dict[str, int]) -> str:
        return f"{(await pull(self._means, self._hook, told)).status}, {told['count']} at once"


@asynccontextmanager
async def pulled(means: Means, hook: str, *, what: str, **told: int) -> AsyncIterator[Doses]:
    """A fault that asks `hook` for so many; `told` goes with each request."""
    pulls = _Pulls(means, hook, told)
    async with journalled(
        means,
        what=what,
        undo="nothing: a counter moves",
        kind="requests",
        end=pulls.end,
        within_seconds=_END_WITHIN_SECONDS,
    ):
        yield pulls
