"""No webhooks at all: paused through the service's test hook, for a minute at a time."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import msgspec

from opsconsole import config
from opsconsole.clients.ending import prolonged
from opsconsole.clients.http import Answer
from opsconsole.faults import Doses, Fault, Means, Unexpected
from opsconsole.faults._bracket import bearer, journalled
from opsconsole.faults._hooks import address, path, pull, unavailable

_HOOK = "state"
_LEASE_SECONDS = 60
_RENEWED_EVERY_SECONDS = 20.0
_END_WITHIN_SECONDS = 30.0
_PAUSED = {"webhooks": False, "lease_seconds": _LEASE_SECONDS}
_BACK = {"webhooks": True}


class _State(msgspec.Struct):
    webhooks: bool


class _Pause:
    """The fault while it is open."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._path = path(means.settings, _HOOK)
        self._headers = bearer(means.settings)

    async def give(self, bad: int, passing: int) -> str:
        """See `Doses`: there is nothing to send."""
        return f"webhooks are paused, for {_LEASE_SECONDS} s at a time"

    async def paused(self) -> bool:
        """Whether they are now."""
        answer = await self._means.service.get(self._path, headers=self._headers)
        return not answer.json(_State).webhooks

    async def prolong(self) -> None:
        """Where somebody has ended the pause, that holds, also between the look and the answer."""
        if await self.paused() and (await self._post(_PAUSED)).json(_State).webhooks:
            await self._post(_BACK)

    async def end(self) -> str:
        """How it has ended, nothing while they are paused."""
        if not await self.paused():
            return "webhooks arrive again"
        await self._post(_BACK)
        return ""

    async def _post(self, state: Mapping[str, object]) -> Answer:
        """Have this in force; what was before is the answer."""
        return await self._means.service.post(self._path, json=state, headers=self._headers)


def _sends(service: config.Service) -> str:
    return f"POST {address(service, _HOOK)}: no webhooks, renewed every {_RENEWED_EVERY_SECONDS:g} s"


def left_over(means: Means) -> Callable[[], Awaitable[str]]:
    """Takes back what a run that was cut off has left: to be called until it says how that has ended."""
    return _Pause(means).end


@asynccontextmanager
async def _open(means: Means) -> AsyncIterator[Doses]:
    pause = _Pause(means)
    if await pause.paused():
        raise Unexpected(
            "webhooks are paused already, and not by this test",
            where=f"{means.service.server} {address(means.settings, _HOOK)}",
            hint="wait until they are back, or have them back",
        )
    async with journalled(
        means,
        what="webhooks are paused",
        undo=f"let them arrive; the service does so by itself after {_LEASE_SECONDS} s",
        kind="paused_webhooks",
        data={"path": path(means.settings, _HOOK)},
        end=pause.end,
        within_seconds=_END_WITHIN_SECONDS,
    ):
        await pull(means, _HOOK, dict(_PAUSED))
        async with prolonged(pause.prolong, every_seconds=_RENEWED_EVERY_SECONDS):
            yield pause


FAULT = Fault(
    name="stalled_webhooks",
    title="webhooks that do not arrive",
    unavailable=unavailable,
    sends=_sends,
    open=_open,
    counted=False,
    touches="webhooks",
)
