"""Webhooks: each kind of bad one is proven to be refused, slow ones are slow, a pause ends in any case."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import stripe
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from opsconsole.checkkit import until
from opsconsole.errors import TimedOut, Unseen
from opsconsole.faults import (
    Means,
    Unexpected,
    bad_webhooks,
    cancellations,
    credit_grants,
    slow_webhooks,
    stalled_webhooks,
)
from opsconsole.faults._requests import _AT_A_TIME
from tests.faults.conftest import SECRET, WITHIN_SECONDS, Happened, MakeMeans, series, state
from tests.standins.raw import http, raw_server

HOOK = "/api/webhooks/stripe"
REASONS = ("invalid_signature", "missing_header", "expired")
KINDS: dict[str, Callable[[str, bytes], bool]] = {
    "a wrong signature": lambda header, body: header.endswith("0" * 64),
    "no signature": lambda header, body: not header,
    "a signature of ten minutes ago": lambda header, body: too_old(header, body),
    "a body that was changed after it was signed": lambda header, body: b'"livemode": true' in body,
}
BAD, SLOW, STALLED = bad_webhooks.FAULT, slow_webhooks.FAULT, stalled_webhooks.FAULT


def too_old(header: str, body: bytes) -> bool:
    return bool(header) and int(header[2:].partition(",")[0]) < time.time() - 300


def true_signature(request: Request) -> bool:
    try:
        stripe.WebhookSignature.verify_header(
            request.data.decode(), request.headers.get("stripe-signature", ""), SECRET, 300
        )
    except stripe.SignatureVerificationError:
        return False
    return True


async def reasons(url: str) -> dict[str, float]:
    """How many were refused so far, and why."""
    name = "rsolv_billing_stripe_webhook_failed_total"
    told = {dict(labels)["failure_reason"]: v for (n, labels), v in (await series(url)).items() if n == name
            if ("event_type", "test") in labels}  # fmt: skip
    return {reason: told[reason] for reason in REASONS}


async def test_each_kind_is_refused_in_its_turn(means: Means, service_url: str) -> None:
    before = await reasons(service_url)
    async with BAD.open(means) as doses:
        assert await doses.give(4, 0) == "400, refused"
        assert await doses.give(4, 3) == "400, refused"
    after = await reasons(service_url)
    assert [after[reason] - before[reason] for reason in REASONS] == [4, 2, 2]


async def test_without_the_secret_two_kinds_are_left(means_on: MakeMeans, service_url: str) -> None:
    before = await reasons(service_url)
    async with BAD.open(means_on(service_url, webhook_secret=None)) as doses:
        await doses.give(4, 0)
    after = await reasons(service_url)
    assert [after[reason] - before[reason] for reason in REASONS] == [2, 2, 0]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_bad_one_that_is_taken_is_the_worst_of_all(
    kind: str, means_on: MakeMeans, httpserver: HTTPServer, happened: Happened
) -> None:
    def careless(request: Request) -> Response:
        taken = KINDS[kind](request.headers.get("stripe-signature", ""), request.data)
        return Response("{}", status=200 if taken or true_signature(request) else 400)

    httpserver.expect_request(HOOK, method="POST").respond_with_handler(careless)
    with pytest.raises(Unexpected, match=f"ACCEPTED a webhook with {kind}") as unexpected:
        async with BAD.open(means_on(httpserver.url_for(""))) as doses:
            await doses.give(4, 2)
    assert "incident" in unexpected.value.hint
    assert happened.journal == ["begun", "ended"]


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_these_are_refusals(status: int, means_on: MakeMeans, httpserver: HTTPServer) -> None:
    httpserver.expect_request(HOOK).respond_with_data("no", status=status)
    async with BAD.open(means_on(httpserver.url_for(""))) as doses:
        assert await doses.give(2, 0) == f"{status}, refused"


@pytest.mark.parametrize("status", [302, 404, 429, 500])
async def test_these_are_none(status: int, means_on: MakeMeans, httpserver: HTTPServer) -> None:
    httpserver.expect_request(HOOK).respond_with_data("oh dear", status=status)
    with pytest.raises(Unexpected, match=f"answered {status}, not 400 .*: oh dear"):
        async with BAD.open(means_on(httpserver.url_for(""))) as doses:
            await doses.give(1, 0)


@pytest.mark.parametrize("fault", [BAD, SLOW], ids=lambda fault: fault.name)
async def test_a_well_signed_one_that_is_refused_is_a_failure(
    fault: Any, means_on: MakeMeans, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(HOOK).respond_with_data("no", status=400)
    with pytest.raises(Unexpected, match="not 200 to a webhook with a true signature") as unexpected:
        async with fault.open(means_on(httpserver.url_for(""))) as doses:
            await doses.give(0, 1)
    assert "webhook_secret" in unexpected.value.hint


async def test_nobody_there(means_on: MakeMeans, happened: Happened) -> None:
    with pytest.raises(Unseen, match="connection refused"):
        async with BAD.open(means_on("http://127.0.0.1:1")) as doses:
            await doses.give(3, 0)
    assert happened.journal == ["begun", "ended"]
    assert "without an answer" in happened.of("ended")[0]


async def test_a_dose_is_sent_together_and_never_too_many_at_a_time(
    means_on: MakeMeans,
) -> None:
    lock, now, most, enough = threading.Lock(), [0], [0], threading.Event()

    def counted(request: Request) -> Response:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            if now[0] > 4:
                enough.set()
        enough.wait(WITHIN_SECONDS)
        with lock:
            now[0] -= 1
        return Response("no", status=400)

    threaded = HTTPServer(threaded=True)
    threaded.expect_request(HOOK).respond_with_handler(counted)
    with threaded:
        async with BAD.open(means_on(threaded.url_for(""))) as doses:
            await doses.give(2 * _AT_A_TIME, 0)
    assert 4 < most[0] <= _AT_A_TIME


async def test_a_service_that_breaks_off_is_not_seen(means_on: MakeMeans, happened: Happened) -> None:
    async with raw_server(b"HTTP/1.1 400 Bad") as url:
        with pytest.raises(Unseen):
            async with BAD.open(means_on(url)) as doses:
                await doses.give(2, 0)
    assert happened.journal == ["begun", "ended"]


async def test_when_it_has_ended_nothing_is_in_flight(means_on: MakeMeans, happened: Happened) -> None:
    """Cancelled while the service takes its time: what was sent is answered before the end is journalled."""
    answered = asyncio.Event()

    def slowly(request: bytes) -> list[bytes]:
        asyncio.get_running_loop().call_later(0.3, answered.set)
        return [b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n", b"no"]

    async def drill(url: str) -> None:
        async with BAD.open(means_on(url)) as doses:
            await doses.give(1, 0)

    async with raw_server(slowly, pause_seconds=0.5) as url:
        task = asyncio.create_task(drill(url))
        await asyncio.wait_for(answered.wait(), WITHIN_SECONDS)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert happened.words == ["begun", "POST", "ended"]
    assert happened.of("POST")[0].status == 400
    assert happened.of("ended") == ["none of 1 requests is in flight any more"]


async def test_each_slow_one_takes_longer_than_the_alert_allows(
    means: Means, service_url: str, happened: Happened
) -> None:
    async with SLOW.open(means) as doses:
        assert await doses.give(3, 2) == "200, slowly"
    took = [exchange.seconds for exchange in happened.of("POST")]
    assert min(took[2:]) > 1.0
    assert {"x-test-delay-milliseconds" in e.request_headers for e in happened.of("POST")[:2]} == {False}


async def test_a_service_that_knows_no_delay_is_told_apart(
    means_on: MakeMeans, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(HOOK).respond_with_data("{}")
    with pytest.raises(Unexpected, match=r"not after \d+ ms as x-test-delay-milliseconds asks"):
        async with SLOW.open(means_on(httpserver.url_for(""))) as doses:
            await doses.give(1, 0)


@pytest.mark.parametrize("name", ["cancellations", "credits"])
async def test_a_hook_that_is_not_there(name: str, means_on: MakeMeans, service_url: str) -> None:
    fault = {"cancellations": cancellations, "credits": credit_grants}[name].FAULT
    with pytest.raises(Unexpected, match="answered 404, not 200") as unexpected:
        async with fault.open(means_on(service_url, test_hooks="/nowhere")) as doses:
            await doses.give(2, 0)
    assert "test_hooks" in unexpected.value.hint


async def test_one_request_does_for_all(means: Means, happened: Happened) -> None:
    async with cancellations.FAULT.open(means) as doses:
        assert await doses.give(70, 0) == "200, 70 at once"
        await doses.give(0, 0)
    assert len(happened.of("POST")) == 1


async def test_a_pause_lasts_as_long_as_the_block(means: Means, service_url: str) -> None:
    async with STALLED.open(means) as doses:
        assert "paused" in await doses.give(0, 0)
        assert (await state(service_url))["webhooks"] is False
    assert (await state(service_url))["webhooks"] is True


async def test_a_pause_is_renewed_before_its_lease_is_over(
    means: Means, service_url: str, happened: Happened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalled_webhooks, "_RENEWED_EVERY_SECONDS", 0.2)
    monkeypatch.setitem(stalled_webhooks._PAUSED, "lease_seconds", 30)

    async def renewed() -> bool:
        return len(happened.of("POST")) > 3

    async with STALLED.open(means):
        assert await until(renewed, within_seconds=WITHIN_SECONDS, what="renewals")
        assert (await state(service_url))["webhooks"] is False
    assert (await state(service_url))["webhooks"] is True


async def test_a_console_that_dies_leaves_no_pause(
    means: Means, service_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the block's end runs: the lease is over by itself."""
    monkeypatch.setitem(stalled_webhooks._PAUSED, "lease_seconds", 1)
    async with STALLED.open(means):

        async def back() -> bool:
            return bool((await state(service_url))["webhooks"])

        assert await until(back, within_seconds=WITHIN_SECONDS, what="the end of the lease")


async def test_a_pause_that_somebody_has_ended_is_not_renewed(
    means: Means, service_url: str, happened: Happened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalled_webhooks, "_RENEWED_EVERY_SECONDS", 0.05)
    async with STALLED.open(means):
        await state(service_url, webhooks=True)
        asked = len(happened.of("GET"))

        async def looked() -> bool:
            return len(happened.of("GET")) > asked + 3

        assert await until(looked, within_seconds=WITHIN_SECONDS, what="renewals that come too late")
        assert (await state(service_url))["webhooks"] is True


async def test_a_pause_that_is_ended_while_it_is_renewed_is_ended(
    means_on: MakeMeans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service's answer tells: between the look and the renewal webhooks were back."""
    monkeypatch.setattr(stalled_webhooks, "_RENEWED_EVERY_SECONDS", 0.05)
    posted: list[bool] = []
    done = asyncio.Event()

    def answer(request: bytes) -> list[bytes]:
        if request.startswith(b"POST"):
            posted.append(b'"webhooks":true' in request)
            if len(posted) == 3:
                done.set()
            return [http(b'{"webhooks": true}')]
        paused = bool(posted) and not posted[-1]
        return [http(b'{"webhooks": false}' if paused else b'{"webhooks": true}')]

    async with raw_server(answer) as url, STALLED.open(means_on(url)):
        await asyncio.wait_for(done.wait(), WITHIN_SECONDS)
    assert posted == [False, False, True]


async def test_a_pause_of_somebody_else_is_left_alone(
    means: Means, service_url: str, happened: Happened
) -> None:
    await state(service_url, webhooks=False)
    try:
        with pytest.raises(Unexpected, match="paused already"):
            async with STALLED.open(means):
                pass
        assert (await state(service_url))["webhooks"] is False
        assert happened.words == ["GET"]
    finally:
        await state(service_url, webhooks=True)


@pytest.mark.parametrize("leave", [ZeroDivisionError, asyncio.CancelledError])
async def test_webhooks_are_back_however_the_block_is_left(
    leave: type[BaseException], means: Means, service_url: str, happened: Happened
) -> None:
    async def drill() -> None:
        async with STALLED.open(means):
            raise leave

    with pytest.raises(leave):
        await drill()
    assert (await state(service_url))["webhooks"] is True
    assert happened.journal == ["begun", "ended"]


async def test_a_pause_whose_end_cannot_be_seen_stays_open(
    means_on: MakeMeans, happened: Happened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalled_webhooks, "_END_WITHIN_SECONDS", 1.0)
    posted: list[bytes] = []

    def stuck(request: bytes) -> list[bytes]:
        if request.startswith(b"POST"):
            posted.append(request)
        return [http(b'{"webhooks": false}' if posted else b'{"webhooks": true}')]

    async with raw_server(stuck) as url:
        with pytest.raises(TimedOut, match="not seen to end"):
            async with STALLED.open(means_on(url)):
                pass
    assert happened.journal == ["begun"]
