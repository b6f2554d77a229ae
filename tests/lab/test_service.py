"""The billing service: its metrics, its API, Stripe's signatures, and that it is healthy when left alone."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from stripe import WebhookSignature

from opsconsole.lab.service.app import BillingService
from opsconsole.lab.service.families import FAMILIES
from opsconsole.lab.service.metrics import Metrics
from opsconsole.lab.service.traffic import Traffic
from tests.lab.conftest import served

P = "rsolv_billing_"
KEY, SECRET = "a-key", "whsec_of_a_test"
AUTHORISED = {"Authorization": f"Bearer {KEY}"}
ATTACH = "/api/v1/billing/payment-methods"


class Client:
    """A service and what its metrics say."""

    def __init__(self, service: BillingService, http: httpx.AsyncClient) -> None:
        self.service = service
        self.http = http

    def value(self, name: str, **labels: str) -> float:
        return total(self.service.metrics, name, **labels)

    async def attach(self, method: str) -> httpx.Response:
        return await self.http.post(ATTACH, json={"stripe_payment_method_id": method}, headers=AUTHORISED)

    async def webhook(self, body: str, header: str | None) -> httpx.Response:
        headers = {} if header is None else {b"stripe-signature": header.encode()}
        return await self.http.post("/api/webhooks/stripe", content=body, headers=headers)


def total(metrics: Metrics, name: str, **labels: str) -> float:
    """The sum of all samples of this name with these labels."""
    text = metrics.expose("text/plain")[0].decode()
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    return sum(s.value for s in samples if s.name == P + name and labels.items() <= s.labels.items())


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    service = BillingService(seed=1, api_key=KEY, webhook_secret=SECRET)
    async with served(service.routes()) as http:
        yield Client(service, http)


async def until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not look():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def event(kind: str = "invoice.paid") -> str:
    return json.dumps({"id": "evt_1", "object": "event", "type": kind, "data": {"object": {}}})


def signed(body: str, age_seconds: int = 0) -> str:
    return str(WebhookSignature.generate_signature_header(body, SECRET, int(time.time()) - age_seconds))


async def test_every_family_has_series_from_the_first_scrape(client: Client) -> None:
    answer = await client.http.get("/metrics")
    families = {f.name: f for f in text_string_to_metric_families(answer.text)}
    for name, family in FAMILIES.items():
        exposed = families[P + name]
        labels = {label for sample in exposed.samples for label in sample.labels} - {"le"}
        assert labels == set(family.labels), name
        assert exposed.type == ("histogram" if family.buckets else "counter")
    assert not [name for name in families if name.endswith("_created_created")]


async def test_failed_series_are_there_before_anything_fails(client: Client) -> None:
    answer = await client.http.get("/metrics")
    assert f'{P}stripe_webhook_received_total{{event_type="test",status="failed"}} 0.0' in answer.text
    assert client.value("payment_processed_total", status="failed") == 0


async def test_a_metrics_scraper_may_ask_for_openmetrics(client: Client) -> None:
    accept = {"Accept": "application/openmetrics-text;version=1.0.0"}
    answer = await client.http.get("/metrics", headers=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {KEY}"}]
)
async def test_without_the_key_nothing_is_changed(client: Client, headers: dict[str, str]) -> None:
    for path in (ATTACH, "/lab/state", "/lab/credits", "/lab/cancellations"):
        assert (await client.http.post(path, json={}, headers=headers)).status_code == 401


@pytest.mark.parametrize(
    ("method", "code", "decline_code", "attached"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline", False),
        ("pm_card_chargeDeclined", "card_declined", "generic_decline", False),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline", True),
        ("pm_card_declined", "card_declined", "generic_decline", False),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds", False),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None, False),
    ],
)
async def test_a_declined_card_is_a_failed_payment(
    client: Client, method: str, code: str, decline_code: str | None, attached: bool
) -> None:
    answer = await client.attach(method)
    assert answer.status_code == 402
    error = answer.json()["error"]
    assert (error["type"], error["code"], error.get("decline_code")) == ("card_error", code, decline_code)
    assert answer.json()["attached"] is attached
    assert client.value("payment_processed_total", status="failed") == 1
    assert client.value("payment_processed_amount_cents_count", status="failed") == 1
    assert client.value("invoice_failed_total", failure_code=decline_code or code) == 1


async def test_a_good_card_pays_and_earns_credits(client: Client) -> None:
    assert (await client.attach("pm_card_visa")).status_code == 200
    assert client.value("payment_processed_total", status="success") == 1
    assert client.value("credits_added_quantity_sum", reason="billing_added") == 60


async def test_an_unknown_payment_method_is_stripes_400_and_no_payment(client: Client) -> None:
    answer = await client.attach("pm_never_heard_of")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "resource_missing"
    assert client.value("payment_processed_total") == 0


@pytest.mark.parametrize("body", ["", "[]", "{", '{"stripe_payment_method_id": 7}'])
async def test_a_bad_body_is_400(client: Client, body: str) -> None:
    assert (await client.http.post(ATTACH, content=body, headers=AUTHORISED)).status_code == 400


async def test_a_signed_webhook_is_received(client: Client) -> None:
    answer = await client.webhook(event(), signed(event()))
    assert (answer.status_code, answer.json()) == (200, {"received": True, "id": "evt_1"})
    name = "stripe_webhook_received"
    assert client.value(f"{name}_total", event_type="invoice.paid", status="success") == 1
    assert client.value(f"{name}_duration_milliseconds_count", status="success") == 1
    assert client.value("stripe_webhook_failed_total") == 0


REFUSED: dict[str, Callable[[], tuple[str, str | None, str]]] = {
    "no time": lambda: (event("test"), "t=invalid,v1=invalid", "invalid_signature"),
    "the guide's": lambda: (event("test"), f"t={int(time.time())},v1=invalid_signature", "invalid_signature"),
    "changed body": lambda: (event("test"), signed(event("test") + " "), "invalid_signature"),
    "not ASCII": lambda: (event("test"), "v1=é", "invalid_signature"),
    "too old": lambda: (event("test"), signed(event("test"), age_seconds=400), "expired"),
    "no header": lambda: (event("test"), None, "missing_header"),
    "no event": lambda: ("{}", signed("{}"), "invalid_payload"),
}
"""What is refused, made when it is sent: a signature carries its time."""


@pytest.mark.parametrize("case", REFUSED)
async def test_a_refused_webhook_moves_both_counters(client: Client, case: str) -> None:
    body, header, reason = REFUSED[case]()
    kind = "unknown" if body == "{}" else "test"
    answer = await client.webhook(body, header)
    assert (answer.status_code, answer.json()["error"]["reason"]) == (400, reason)
    assert client.value("stripe_webhook_received_total", event_type=kind, status="failed") == 1
    assert client.value("stripe_webhook_failed_total", event_type=kind, failure_reason=reason) == 1


async def test_a_signature_from_the_future_is_accepted_as_at_stripe(client: Client) -> None:
    assert (await client.webhook(event(), signed(event(), age_seconds=-400))).status_code == 200


async def test_strangers_cannot_make_series_without_end(client: Client) -> None:
    for number in range(80):
        await client.webhook(event(f"made.up.{number}"), None)
    await client.webhook(event('"} evil'), None)
    text = (await client.http.get("/metrics")).text
    assert 30 < text.count("stripe_webhook_received_total{") < 70
    assert client.value("stripe_webhook_received_total", event_type="other") > 0
    assert client.value("stripe_webhook_received_total", event_type="unknown") == 1


async def test_the_levers_answer_what_undoes_them(client: Client) -> None:
    wish = {"webhooks": False, "payment_failure_share": 0.3}
    before = await client.http.post("/lab/state", json=wish, headers=AUTHORISED)
    changed = (await client.http.get("/lab/state")).json()
    assert (changed["webhooks"], changed["payment_failure_share"]) == (False, 0.3)
    assert (await client.http.get("/health/billing")).json()["status"] == "degraded"
    await client.http.post("/lab/state", json=before.json(), headers=AUTHORISED)
    assert client.service.traffic.behaviour == Traffic(Metrics(), 1).behaviour


@pytest.mark.parametrize("wish", [{"no_such": 1}, {"traffic": 1}, {"webhook_delay_milliseconds": "x"},
                                  {"payment_failure_share": -1}, {"withheld_families": "x"}])  # fmt: skip
async def test_a_senseless_lever_is_refused(client: Client, wish: dict[str, Any]) -> None:
    assert (await client.http.post("/lab/state", json=wish, headers=AUTHORISED)).status_code == 400


async def test_a_withheld_family_is_gone_from_the_metrics(client: Client) -> None:
    wish = {"withheld_families": [f"{P}usage_tracked"]}
    await client.http.post("/lab/state", json=wish, headers=AUTHORISED)
    text = (await client.http.get("/metrics")).text
    assert f"{P}usage_tracked_total" not in text
    assert f"{P}usage_tracked_quantity_sum" in text


async def test_cancellations_and_grants_on_request(client: Client) -> None:
    await client.http.post("/lab/cancellations", json={"count": 900}, headers=AUTHORISED)
    await client.http.post("/lab/credits", json={"quantity": 1800}, headers=AUTHORISED)
    assert client.value("subscription_cancelled_total") == 900
    assert client.value("credits_added_quantity_bucket", le="1000.0") == 0
    assert client.value("credits_added_quantity_bucket", le="2500.0", reason="billing_added") == 1
    too_many = await client.http.post("/lab/credits", json={"count": True}, headers=AUTHORISED)
    assert too_many.status_code == 400


async def listed(client: Client, run: str | None = None) -> list[str]:
    query = {} if run is None else {"opsconsole_run": run}
    answer = await client.http.get(ATTACH, params=query, headers=AUTHORISED)
    assert answer.status_code == 200
    return [one["id"] for one in answer.json()["data"]]


async def test_what_a_run_attached_is_listed_and_removed(client: Client) -> None:
    attached = []
    for run in ("one", "two", "one"):
        body = {"stripe_payment_method_id": "pm_card_visa", "metadata": {"opsconsole_run": run}}
        answer = await client.http.post(ATTACH, json=body, headers=AUTHORISED)
        attached.append(answer.json()["payment_method"])
    assert await listed(client, "one") == [attached[0], attached[2]]
    removed = await client.http.delete(f"{ATTACH}/{attached[0]}", headers=AUTHORISED)
    assert (removed.status_code, removed.json()["id"]) == (200, attached[0])
    assert await listed(client, "one") == [attached[2]]
    assert await listed(client) == attached[1:]
    again = await client.http.delete(f"{ATTACH}/{attached[0]}", headers=AUTHORISED)
    assert (again.status_code, again.json()["error"]["code"]) == (404, "resource_missing")


async def test_a_decline_attaches_nothing_unless_only_the_charge_fails(client: Client) -> None:
    await client.attach("pm_card_visa_chargeDeclined")
    await client.attach("pm_never_heard_of")
    assert await listed(client) == []
    answer = (await client.attach("pm_card_chargeCustomerFail")).json()
    assert await listed(client) == [answer["payment_method"]]
    assert answer["error"]["payment_method"]["id"] == answer["payment_method"]


@pytest.mark.parametrize("metadata", [["x"], {"opsconsole_run": 7}])
async def test_senseless_metadata_is_refused(client: Client, metadata: object) -> None:
    body = {"stripe_payment_method_id": "pm_card_visa", "metadata": metadata}
    assert (await client.http.post(ATTACH, json=body, headers=AUTHORISED)).status_code == 400
    assert client.value("payment_processed_total") == 0


async def test_payment_methods_are_behind_the_key(client: Client) -> None:
    assert (await client.http.get(ATTACH)).status_code == 401
    assert (await client.http.delete(f"{ATTACH}/pm_lab_000001")).status_code == 401


async def test_a_lease_runs_out_by_itself(client: Client) -> None:
    wish = {"webhooks": False, "withheld_families": ["x"], "lease_seconds": 0.05}
    before = await client.http.post("/lab/state", json=wish, headers=AUTHORISED)
    assert before.json()["webhooks"] is True
    await client.http.post("/lab/state", json={"payment_failure_share": 0.3}, headers=AUTHORISED)
    await until(lambda: client.service.traffic.behaviour.webhooks)
    behaviour = client.service.traffic.behaviour
    assert (behaviour.withheld_families, client.service.metrics.withheld) == ((), frozenset())
    assert behaviour.payment_failure_share == 0.3, "nobody asked for an end of this"


async def test_a_lease_lives_as_long_as_it_is_renewed(client: Client) -> None:
    short, long = ({"webhooks": False, "lease_seconds": seconds} for seconds in (0.05, 3000))
    await client.http.post("/lab/state", json=short, headers=AUTHORISED)
    await client.http.post("/lab/state", json=long, headers=AUTHORISED)
    other = {"traffic": False, "lease_seconds": 0.1}  # runs out after the first one would have
    await client.http.post("/lab/state", json=other, headers=AUTHORISED)
    await until(lambda: client.service.traffic.behaviour.traffic)
    assert not client.service.traffic.behaviour.webhooks
    await client.http.post("/lab/state", json={"webhooks": False}, headers=AUTHORISED)
    await client.http.post("/lab/state", json={**other, "lease_seconds": 0.01}, headers=AUTHORISED)
    await until(lambda: client.service.traffic.behaviour.traffic)
    assert not client.service.traffic.behaviour.webhooks


@pytest.mark.parametrize("lease", [0, -1, True, "soon", 4000, "nan"])
async def test_a_senseless_lease_changes_nothing(client: Client, lease: object) -> None:
    wish = {"webhooks": False, "lease_seconds": lease}
    assert (await client.http.post("/lab/state", json=wish, headers=AUTHORISED)).status_code == 400
    assert client.service.traffic.behaviour.webhooks


async def slowed(client: Client, milliseconds: str, headers: dict[str, str]) -> httpx.Response:
    """The answer to a well-signed webhook that asks to be handled slowly."""
    asked = {"stripe-signature": signed(event()), "X-Test-Delay-Milliseconds": milliseconds, **headers}
    return await client.http.post("/api/webhooks/stripe", content=event(), headers=asked)


def quicker_than(client: Client, bound: str) -> float:
    return client.value(
        "stripe_webhook_received_duration_milliseconds_bucket", event_type="invoice.paid", le=bound
    )


async def test_a_webhook_slowed_with_the_key_counts_with_its_real_duration(client: Client) -> None:
    assert (await slowed(client, "300", AUTHORISED)).status_code == 200
    assert quicker_than(client, "250.0") == 0
    assert quicker_than(client, "+Inf") == 1


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
async def test_without_the_key_no_webhook_is_slowed(client: Client, headers: dict[str, str]) -> None:
    await asyncio.to_thread(client.service.verifier.warm_up().result)
    assert (await slowed(client, "59000", headers)).status_code == 200
    assert quicker_than(client, "5000.0") == 1


@pytest.mark.parametrize("milliseconds", ["", "x", "-5", "nan", "60001"])
async def test_a_senseless_delay_is_refused(client: Client, milliseconds: str) -> None:
    assert (await slowed(client, milliseconds, AUTHORISED)).status_code == 400
    assert client.value("stripe_webhook_received_total", status="success") == 0


def played(seconds: float, seed: int = 1, **behaviour: Any) -> Metrics:
    """The metrics after so many seconds of background traffic."""
    metrics = Metrics()
    traffic = Traffic(metrics, seed)
    traffic.behaviour = traffic.behaviour.changed(behaviour)
    traffic.play_until(seconds)
    return metrics


def test_the_same_seed_gives_the_same_traffic() -> None:
    assert played(60).expose("")[0] == played(60).expose("")[0]
    assert played(60).expose("")[0] != played(60, seed=2).expose("")[0]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("seconds", [3, 10, 30, 300, 1800])
def test_left_alone_it_is_healthy_in_every_window(seconds: int, seed: int) -> None:
    metrics = played(seconds, seed)
    failed = total(metrics, "payment_processed_total", status="failed")
    assert failed <= 0.05 * total(metrics, "payment_processed_total")
    webhooks = total(metrics, "stripe_webhook_received_total")
    assert webhooks > 0
    assert total(metrics, "stripe_webhook_failed_total") <= 0.05 * webhooks
    assert total(metrics, "stripe_webhook_failed_total") == total(
        metrics, "stripe_webhook_received_total", status="failed"
    )
    cancelled = total(metrics, "subscription_cancelled_total")
    assert cancelled <= 0.05 * total(metrics, "subscription_created_total", status="success")
    duration = "stripe_webhook_received_duration_milliseconds_bucket"
    assert total(metrics, duration, le="250.0") == total(metrics, duration, le="+Inf")
    assert total(metrics, "credits_added_quantity_bucket", le="250.0") == total(
        metrics, "credits_added_total"
    )


def test_the_traffic_is_steady() -> None:
    counted = [name for name, family in FAMILIES.items() if not family.buckets]
    events = sum(total(played(100), f"{name}_total") for name in counted)
    assert 10 <= events / 100 <= 20


def test_a_share_of_failures_can_be_asked_for() -> None:
    failing = played(300, payment_failure_share=0.3, webhook_failure_share=0.2)
    payments = total(failing, "payment_processed_total")
    assert 0.28 < total(failing, "payment_processed_total", status="failed") / payments < 0.35
    assert total(failing, "payment_processed_amount_cents_count", status="failed") > 0.28 * payments
    webhooks = total(failing, "stripe_webhook_received_total")
    assert 0.18 < total(failing, "stripe_webhook_failed_total") / webhooks < 0.25


def test_slow_webhooks_and_silence_can_be_asked_for() -> None:
    slow = played(60, webhook_delay_milliseconds=2000)
    assert total(slow, "stripe_webhook_received_duration_milliseconds_bucket", le="1000.0") == 0
    assert total(played(60, webhooks=False), "stripe_webhook_received_total") == 0
    assert total(played(60, traffic=False), "payment_processed_total") == 0
