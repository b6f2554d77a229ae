"""Payments that are declined, with a test payment method of Stripe's, and others that pass beside them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec

from opsconsole import config
from opsconsole.clients.effects import MARK
from opsconsole.clients.http import Answer
from opsconsole.errors import Nonsense
from opsconsole.faults import Doses, Fault, Means
from opsconsole.faults._bracket import bearer, journalled, unset
from opsconsole.faults._objects import Objects
from opsconsole.faults._requests import ANY_STATUS, Requests, first, let_in, unexpected
from opsconsole.faults._series import counter, grant, payment

_ATTACHES_AND_DECLINES = "pm_card_chargeCustomerFail"
"""Stripe attaches this one, and declines the charge."""

_LATE_SECONDS = 3.0
"""A request that no answer came to may still be carried out: so long is waited before it is looked for."""

_END_WITHIN_SECONDS = 60.0


class _CardError(msgspec.Struct):
    code: str = ""
    decline_code: str = ""


class _Told(msgspec.Struct):
    """What an answer tells, as far as it matters here."""

    error: _CardError = msgspec.field(default_factory=_CardError)
    payment_method: str = ""


class _Payments:
    """The fault while it is open."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._path = means.settings.payment_methods_path
        self._headers = bearer(means.settings)
        self._requests = Requests()
        self._objects = Objects(means.service, self._path, means.run, self._headers)
        self._may_have_attached = 0
        self._waited = False

    async def give(self, bad: int, passing: int) -> str:
        """See `Doses`."""
        await self._requests.together(self._passing, passing)
        return first(await self._requests.together(self._declined, bad))

    async def end(self) -> str:
        """Remove what was attached; how it has ended, nothing while something may be left."""
        await self._requests.landed()
        if not self._may_have_attached:
            return "nothing was attached"
        lost = bool(self._requests.lost)
        if lost and not self._waited:
            await asyncio.sleep(_LATE_SECONDS)
            self._waited = True
        attaches = self._means.settings.declining_payment_method == _ATTACHES_AND_DECLINES
        return await self._objects.end(all_known=not lost and not attaches)

    async def _declined(self) -> str:
        answer = await self._post(self._means.settings.declining_payment_method)
        if answer.status != 402:
            raise unexpected(
                answer, "402: a declined card", hint="is service.declining_payment_method one that declines?"
            )
        error = _told(answer).error
        return " ".join(filter(None, ("402", error.code, error.decline_code)))

    async def _passing(self) -> None:
        answer = await self._post(self._means.settings.passing_payment_method)
        if answer.status != 200:
            raise unexpected(
                answer, "200: a payment", hint="is service.passing_payment_method one that passes?"
            )

    async def _post(self, payment_method: str) -> Answer:
        told = {"stripe_payment_method_id": payment_method, "metadata": {MARK: self._means.run}}
        self._may_have_attached += 1
        answer = await self._means.service.post(
            self._path, json=told, headers=self._headers, accept=ANY_STATUS
        )
        if attached := _told(answer).payment_method:
            self._objects.learn(attached)
        self._may_have_attached -= answer.status in (401, 403)
        return let_in(answer, "api_key")


def _told(answer: Answer) -> _Told:
    try:
        return answer.json(_Told)
    except Nonsense:
        return _Told()


def _unavailable(service: config.Service) -> str:
    return unset(service, "declining_payment_method", "api_key")


def _sends(service: config.Service) -> str:
    beside = f", with {service.passing_payment_method} beside it" if _dilutes(service) else ""
    address = f"{service.url.rstrip('/')}{service.payment_methods_path}"
    return f"POST {address} with {service.declining_payment_method}, which is declined{beside}"


def _dilutes(service: config.Service) -> bool:
    return bool(service.passing_payment_method)


def left_over(means: Means) -> Callable[[], Awaitable[str]]:
    """Takes back what a run that was cut off has left: to be called until it says how that has ended."""
    return Objects(means.service, means.settings.payment_methods_path, means.run, bearer(means.settings)).end


@asynccontextmanager
async def _open(means: Means) -> AsyncIterator[Doses]:
    payments = _Payments(means)
    async with journalled(
        means,
        what=f"payments with {means.settings.declining_payment_method}",
        undo="remove the payment methods that were attached with this run's mark",
        kind="payment_methods",
        data={"path": means.settings.payment_methods_path},
        end=payments.end,
        within_seconds=_END_WITHIN_SECONDS,
    ):
        yield payments


FAULT = Fault(
    name="declined_payments",
    title="payments that are declined",
    unavailable=_unavailable,
    sends=_sends,
    open=_open,
    moves=(*payment("failed"), counter("invoice_failed")),
    passing_moves=(*payment("success"), *grant()),
    dilutes=_dilutes,
    touches="payments",
    leaves_objects=True,
)
