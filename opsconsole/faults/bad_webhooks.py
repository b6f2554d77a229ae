"""Webhooks that must be refused, each kind in its turn, and well-signed ones beside them.

The kinds: a wrong signature (the deployment guide's), no signature, and, where the endpoint's test secret is
given to sign with, a true signature that is too old, and one of another body.
"""

import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from opsconsole import config
from opsconsole.faults import Doses, Fault, Means, Unexpected
from opsconsole.faults._bracket import journalled, secret_of
from opsconsole.faults._requests import ANY_STATUS, Requests, first, unexpected
from opsconsole.faults._series import counter, webhook
from opsconsole.faults._stripe import HEADER, event, signature, well_signed

_REFUSED = (400, 401, 403)
_TOO_OLD_SECONDS = 600.0
"""Stripe's libraries refuse what is older than 300 s."""

_END_WITHIN_SECONDS = 30.0
_UNSIGNED = ("a wrong signature", "no signature")
_SIGNED = ("a signature of ten minutes ago", "a body that was changed after it was signed")


class _Webhooks:
    """The fault while it is open."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._requests = Requests()
        if _dilutes(means.settings):
            secret_of(means.settings, "webhook_secret").reveal()
        self._kinds = itertools.cycle(_kinds(means.settings))

    async def give(self, bad: int, passing: int) -> str:
        """See `Doses`."""
        await self._requests.together(lambda: well_signed(self._means), passing)
        return first(await self._requests.together(self._bad, bad))

    async def end(self) -> str:
        """How it has ended: nothing is to be taken back."""
        return await self._requests.landed()

    async def _bad(self) -> str:
        kind = next(self._kinds)
        body, headers = self._spoilt(kind)
        path = self._means.settings.webhook_path
        answer = await self._means.service.post(path, body=body, headers=headers, accept=ANY_STATUS)
        if answer.status // 100 == 2:
            raise Unexpected(
                f"the service ACCEPTED a webhook with {kind} (status {answer.status})",
                where=answer.where,
                hint="anybody can tell it that an invoice was paid: treat this as an incident",
            )
        if answer.status not in _REFUSED:
            raise unexpected(answer, f"400 to a webhook with {kind}")
        return f"{answer.status}, refused"

    def _spoilt(self, kind: str) -> tuple[bytes, dict[str, str]]:
        settings, body = self._means.settings, event(self._means.run)
        if kind == "no signature":
            return body, {}
        if kind == "a wrong signature":
            return body, {HEADER: f"t={int(time.time())},v1={'0' * 64}"}
        if kind == "a signature of ten minutes ago":
            return body, {HEADER: signature(settings, body, time.time() - _TOO_OLD_SECONDS)}
        return body.replace(b'"livemode": false', b'"livemode": true'), {HEADER: signature(settings, body)}


def _kinds(service: config.Service) -> tuple[str, ...]:
    return (*_UNSIGNED, *_SIGNED) if _dilutes(service) else _UNSIGNED


def _sends(service: config.Service) -> str:
    address = f"{service.url.rstrip('/')}{service.webhook_path}"
    beside = ", well-signed ones beside them" if _dilutes(service) else ""
    return f"POST {address} in turn with {'; '.join(_kinds(service))}{beside}"


def _dilutes(service: config.Service) -> bool:
    return service.webhook_secret is not None


@asynccontextmanager
async def _open(means: Means) -> AsyncIterator[Doses]:
    webhooks = _Webhooks(means)
    async with journalled(
        means,
        what=f"webhooks to {means.settings.webhook_path} that must be refused",
        undo="nothing: counters move",
        kind="requests",
        end=webhooks.end,
        within_seconds=_END_WITHIN_SECONDS,
    ):
        yield webhooks


FAULT = Fault(
    name="bad_webhooks",
    title="webhooks that must be refused",
    unavailable=lambda service: "",
    sends=_sends,
    open=_open,
    moves=(counter("stripe_webhook_failed"), *webhook("failed")),
    passing_moves=webhook("success"),
    dilutes=_dilutes,
    touches="webhooks",
)
