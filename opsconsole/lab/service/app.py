"""The billing service's HTTP API: billing, Stripe's webhooks, metrics, health, and the lab's own levers."""

import asyncio
import math
import time
from dataclasses import replace
from typing import Any

from opsconsole.lab.http import Invalid, Request, Response, Routes, reply
from opsconsole.lab.service import payments
from opsconsole.lab.service.attached import RUN, PaymentMethods, metadata_of
from opsconsole.lab.service.leases import MAX_LEASE_SECONDS, Leases
from opsconsole.lab.service.metrics import Metrics
from opsconsole.lab.service.streams import PRO, WEBHOOK_TYPES
from opsconsole.lab.service.traffic import Behaviour, Traffic
from opsconsole.lab.service.webhooks import EventTypes, Refused, Verifier

CUSTOMER = PRO[0]  # whose API key it is
PRICE_CENTS = 4900
CREDITS_FOR_BILLING = 60
TEST_EVENT = "test"  # the type that the guide's procedure sends
METHODS_PATH = "/api/v1/billing/payment-methods"
DELAY_HEADER = "x-test-delay-milliseconds"
MAX_DELAY_MILLISECONDS = 60_000.0
FAILURE_REASONS = ("invalid_signature", "missing_header", "expired")


class BillingService:
    """The handlers; `api_key` opens the billing API and the levers under /lab."""

    def __init__(self, *, seed: int, api_key: str, webhook_secret: str) -> None:
        self.metrics = Metrics()
        self.traffic = Traffic(self.metrics, seed)
        self.verifier = Verifier(webhook_secret)
        self._methods = PaymentMethods()
        self._leases = Leases(self._restore)
        self._api_key = api_key
        self._types = EventTypes(frozenset((TEST_EVENT, *(name for name, _ in WEBHOOK_TYPES))))
        self._started = time.time()
        self._repositories = 0
        self._prepare_test_series()

    def _prepare_test_series(self) -> None:
        """Series that only tests move exist from the start, so that their first move can be seen."""
        self.metrics.count("stripe_webhook_received", 0, event_type=TEST_EVENT, status="failed")
        for reason in FAILURE_REASONS:
            self.metrics.count("stripe_webhook_failed", 0, event_type=TEST_EVENT, failure_reason=reason)

    def routes(self) -> Routes:
        routes = Routes()
        routes.add("GET", "/metrics", self.show_metrics)
        routes.add("GET", "/health/billing", self.show_health)
        routes.add("POST", METHODS_PATH, self.add_payment_method)
        routes.add("GET", METHODS_PATH, self.list_payment_methods)
        routes.add("DELETE", f"{METHODS_PATH}/{{id}}", self.remove_payment_method)
        routes.add("POST", "/api/webhooks/stripe", self.receive_webhook)
        routes.add("GET", "/lab/state", self.show_state)
        routes.add("POST", "/lab/state", self.change_state)
        routes.add("POST", "/lab/cancellations", self.cancel)
        routes.add("POST", "/lab/credits", self.grant_credits)
        return routes

    async def show_metrics(self, request: Request) -> Response:
        for _ in range(round(self.traffic.behaviour.new_label_values_per_scrape)):
            self._repositories += 1
            customer, plan = PRO
            repository = f"repository-{self._repositories}"
            self.metrics.count("usage_tracked", customer_id=customer, plan=plan, resource_type=repository)
        body, content_type = self.metrics.expose(request.headers.get("accept", ""))
        return Response(200, body, content_type)

    async def show_health(self, request: Request) -> Response:
        behaviour = self.traffic.behaviour
        parts = {"traffic": behaviour.traffic, "webhooks": behaviour.webhooks}
        healthy = all(parts.values())
        return reply(
            {
                "status": "ok" if healthy else "degraded",
                "checks": {name: "ok" if well else "stopped" for name, well in parts.items()},
                "uptime_seconds": round(time.time() - self._started, 3),
            }
        )

    async def add_payment_method(self, request: Request) -> Response:
        """Attach a payment method and charge the first month: a decline is a failed payment.

        As at Stripe, a card may attach although its charge is declined; `payment_method` is what attached.
        """
        self._authorise(request)
        body = request.json_object()
        method, metadata = body.get("stripe_payment_method_id"), metadata_of(body)
        if not isinstance(method, str) or not method:
            raise Invalid(400, "stripe_payment_method_id is missing")
        if decline := payments.DECLINES.get(method):
            return self._declined(decline, method, metadata)
        if method not in payments.ACCEPTED:
            return reply(payments.unknown(method), 400)
        self.metrics.payment(CUSTOMER, "success", PRICE_CENTS, 480)
        self.metrics.grant(CUSTOMER, "billing_added", CREDITS_FOR_BILLING)
        attached = self._methods.attach(CUSTOMER, metadata)
        return reply({"customer": CUSTOMER, "payment_method": attached, "credits_added": CREDITS_FOR_BILLING})

    def _declined(self, decline: payments.Decline, method: str, metadata: dict[str, str]) -> Response:
        self.metrics.payment(CUSTOMER, "failed", PRICE_CENTS, 620)
        code = decline.decline_code or decline.code
        self.metrics.count("invoice_failed", customer_id=CUSTOMER, failure_code=code)
        if not decline.attaches:
            return reply({**decline.as_error(method), "attached": False}, 402)
        attached = self._methods.attach(CUSTOMER, metadata)
        return reply({**decline.as_error(attached), "attached": True, "payment_method": attached}, 402)

    async def list_payment_methods(self, request: Request) -> Response:
        """What is attached, with `?opsconsole_run=` only what carries it in its metadata."""
        self._authorise(request)
        found = self._methods.listed(request.query.get(RUN))
        return reply({"object": "list", "data": found, "has_more": False})

    async def remove_payment_method(self, request: Request) -> Response:
        self._authorise(request)
        number = request.parameters["id"]
        gone = self._methods.detach(number)
        return reply(gone) if gone else reply(payments.unknown(number), 404)

    async def receive_webhook(self, request: Request) -> Response:
        started = time.perf_counter()
        event_type = self._types.label(request.body)
        if delay := self.traffic.behaviour.webhook_delay_milliseconds + self._delay_asked_for(request):
            await asyncio.sleep(delay / 1000)
        try:
            event = await asyncio.to_thread(
                self.verifier.verify, request.body, request.headers.get("stripe-signature")
            )
        except Refused as refusal:
            self.metrics.webhook(event_type, 1000 * (time.perf_counter() - started), refusal.reason)
            return reply({"error": {"message": str(refusal), "reason": refusal.reason}}, 400)
        self.metrics.webhook(event_type, 1000 * (time.perf_counter() - started))
        return reply({"received": True, "id": event.get("id")})

    def _delay_asked_for(self, request: Request) -> float:
        """The milliseconds that a test asks for with its key; nobody else can slow anything."""
        wish = request.headers.get(DELAY_HEADER)
        if wish is None or request.bearer != self._api_key:
            return 0.0
        return _between(wish, 0, MAX_DELAY_MILLISECONDS, "X-Test-Delay-Milliseconds")

    async def show_state(self, request: Request) -> Response:
        return reply({**self.traffic.behaviour.as_dict(), "events": self.traffic.events})

    async def change_state(self, request: Request) -> Response:
        """Change how the service behaves; answers what was in force before, which undoes it when posted.

        With `lease_seconds` the settings named go back to a healthy service's after so long; to post them
        again renews it.
        """
        self._authorise(request)
        wishes = request.json_object()
        lease = wishes.pop("lease_seconds", None)
        seconds = None if lease is None else _between(lease, 0, MAX_LEASE_SECONDS, "lease_seconds")
        before = self.traffic.behaviour
        self._behave(before.changed(wishes))
        self._leases.take(wishes, seconds)
        return reply(before.as_dict())

    def _restore(self, setting: str) -> None:
        healthy: dict[str, Any] = {setting: getattr(Behaviour(), setting)}
        self._behave(replace(self.traffic.behaviour, **healthy))

    def _behave(self, behaviour: Behaviour) -> None:
        self.traffic.behaviour = behaviour
        self.metrics.withheld = frozenset(behaviour.withheld_families)
        self.verifier.believed = frozenset(behaviour.webhooks_believed)
        self.metrics.clock_offset_seconds = behaviour.clock_ahead_seconds - behaviour.clock_behind_seconds

    async def cancel(self, request: Request) -> Response:
        """Cancel `count` subscriptions of one customer."""
        self._authorise(request)
        count = _number(request, "count", 1, 1_000_000)
        customer, plan = PRO
        self.metrics.count(
            "subscription_cancelled", count, customer_id=customer, plan=plan, reason="requested"
        )
        return reply({"cancelled": count, "plan": plan})

    async def grant_credits(self, request: Request) -> Response:
        """Grant `quantity` credits, `count` times."""
        self._authorise(request)
        quantity, count = _number(request, "quantity", 60, 1_000_000), _number(request, "count", 1, 10_000)
        for _ in range(count):
            self.metrics.grant(CUSTOMER, "billing_added", quantity)
        return reply({"granted": quantity, "times": count})

    def _authorise(self, request: Request) -> None:
        if request.bearer != self._api_key:
            raise Invalid(401, "Invalid API key")


def _between(value: object, least: float, most: float, name: str) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if isinstance(value, bool) or not least < number <= most:
        raise Invalid(400, f"{name} must be a number above {least:g}, at most {most:g}")
    return number


def _number(request: Request, name: str, default: int, most: int) -> int:
    value = request.json_object().get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise Invalid(400, f"{name} must be a whole number from 1 to {most}")
    return value
