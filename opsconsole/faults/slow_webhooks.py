"""Well-signed webhooks that take long to handle: the service's test hook delays each that asks for it."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from opsconsole import config
from opsconsole.faults import Doses, Fault, Means, Unexpected
from opsconsole.faults._bracket import bearer, journalled, secret_of
from opsconsole.faults._hooks import unavailable
from opsconsole.faults._requests import Requests, first
from opsconsole.faults._series import webhook
from opsconsole.faults._stripe import well_signed

DELAY_HEADER = "x-test-delay-milliseconds"
_DELAY_MILLISECONDS = 1200
"""Over the alert's threshold of one second, and within the bucket up to five."""

_AT_A_TIME = 48
"""Each is on its way for longer than a second; a door has 64 connections, so some stay free for questions."""

_END_WITHIN_SECONDS = 30.0


class _Webhooks:
    """The fault while it is open."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._requests = Requests(_AT_A_TIME)
        self._headers = {DELAY_HEADER: str(_DELAY_MILLISECONDS), **bearer(means.settings)}
        secret_of(means.settings, "webhook_secret").reveal()

    async def give(self, bad: int, passing: int) -> str:
        """See `Doses`."""
        await self._requests.together(lambda: well_signed(self._means), passing)
        return first(await self._requests.together(self._slow, bad))

    async def end(self) -> str:
        """How it has ended: nothing is to be taken back."""
        return await self._requests.landed()

    async def _slow(self) -> str:
        began = time.monotonic()
        answer = await well_signed(self._means, self._headers)
        took = 1000 * (time.monotonic() - began)
        if took < _DELAY_MILLISECONDS:
            raise Unexpected(
                f"answered after {took:.0f} ms, not after {_DELAY_MILLISECONDS} ms as {DELAY_HEADER} asks",
                where=answer.where,
                hint="does this service have test hooks, and is service.api_key their key?",
            )
        return f"{answer.status}, slowly"


def _sends(service: config.Service) -> str:
    address = f"{service.url.rstrip('/')}{service.webhook_path}"
    return (
        f"POST {address}, well signed, with {DELAY_HEADER}: {_DELAY_MILLISECONDS}; others without beside them"
    )


@asynccontextmanager
async def _open(means: Means) -> AsyncIterator[Doses]:
    webhooks = _Webhooks(means)
    async with journalled(
        means,
        what=f"webhooks to {means.settings.webhook_path} that are handled slowly",
        undo="nothing: each is delayed by itself, counters move",
        kind="requests",
        end=webhooks.end,
        within_seconds=_END_WITHIN_SECONDS,
    ):
        yield webhooks


FAULT = Fault(
    name="slow_webhooks",
    title="webhooks that take long",
    unavailable=lambda service: unavailable(service, "webhook_secret"),
    sends=_sends,
    open=_open,
    moves=webhook("success"),
    passing_moves=webhook("success"),
    dilutes=lambda service: True,
    touches="webhooks",
)
