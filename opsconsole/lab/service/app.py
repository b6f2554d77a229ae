"""The billing service's HTTP API: billing, Stripe's webhooks, metrics, health, and the lab's own levers."""

import asyncio
import time

from opsconsole.lab.http import Invalid, Request, Response, Routes, reply
from opsconsole.lab.service import payments
from opsconsole.lab.service.metrics import Metrics
from opsconsole.lab.service.streams import PRO, WEBHOOK_TYPES
from opsconsole.lab.service.traffic import Traffic
from opsconsole.lab.service.webhooks import EventTypes, Refused, Verifier

CUSTOMER = PRO[0]  # whose API key it is
PRICE_CENTS = 4900
CREDITS_FOR_BILLING = 60
TEST_EVENT = "test"  # the type that the guide's procedure sends
FAILURE_REASONS = ("invalid_signature", "missing_header", "expired")


class BillingService:
    """The handlers; `api_key` opens the billing API and the levers under /lab."""

    def __init__(self, *, seed: int, api_key: str, webhook_secret: str) -> None:
        self.metrics = Metrics()
        self.traffic = Traffic(self.metrics, seed)
        self.verifier = Verifier(webhook_secret)
        self._api_key = api_key
        self._types = EventTypes(frozenset((TEST_EVENT, *(name for name, _ in WEBHOOK_TYPES))))
        self._started = time.time()
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
        routes.add("POST", "/api/v1/billing/payment-methods", self.add_payment_method)
        routes.add("POST", "/api/webhooks/stripe", self.receive_webhook)
        routes.add("GET", "/lab/state", self.show_state)
        routes.add("POST", "/lab/state", self.change_state)
        routes.add("POST", "/lab/cancellations", self.cancel)
        routes.add("POST", "/lab/credits", self.grant_credits)
        return routes

    async def show_metrics(self, request: Request) -> Response:
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
        """Attach a payment method and charge the first month: a decline is a failed payment."""
        self._authorise(request)
        method = request.json_object().get("stripe_payment_method_id")
        if not isinstance(method, str) or not method:
            raise Invalid(400, "stripe_payment_method_id is missing")
        if decline := payments.DECLINES.get(method):
            self.metrics.payment(CUSTOMER, "failed", PRICE_CENTS, 620)
            code = decline.decline_code or decline.code
            self.metrics.count("invoice_failed", customer_id=CUSTOMER, failure_code=code)
            return reply({**decline.as_error(method), "attached": decline.attaches}, 402)
        if method not in payments.ACCEPTED:
            return reply(payments.unknown(method), 400)
        self.metrics.payment(CUSTOMER, "success", PRICE_CENTS, 480)
        self.metrics.grant(CUSTOMER, "billing_added", CREDITS_FOR_BILLING)
        return reply({"customer": CUSTOMER, "payment_method": method, "credits_added": CREDITS_FOR_BILLING})

    async def receive_webhook(self, request: Request) -> Response:
        started = time.perf_counter()
        event_type = self._types.label(request.body)
        if delay := self.traffic.behaviour.webhook_delay_milliseconds:
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

    async def show_state(self, request: Request) -> Response:
        return reply({**self.traffic.behaviour.as_dict(), "events": self.traffic.events})

    async def change_state(self, request: Request) -> Response:
        """Change how the service behaves; answers what was in force before, which undoes it when posted."""
        self._authorise(request)
        before = self.traffic.behaviour
        self.traffic.behaviour = before.changed(request.json_object())
        self.metrics.withheld = frozenset(self.traffic.behaviour.withheld_families)
        return reply(before.as_dict())

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


def _number(request: Request, name: str, default: int, most: int) -> int:
    value = request.json_object().get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise Invalid(400, f"{name} must be a whole number from 1 to {most}")
    return value
