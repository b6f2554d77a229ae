"""Declined payments: what counts as a decline, and that nothing stays attached, however it ends."""

import asyncio
import json
import socket
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from opsconsole.checkkit import until
from opsconsole.errors import TimedOut, Unseen
from opsconsole.faults import Means, Unexpected, declined_payments
from opsconsole.faults._requests import _AT_A_TIME
from opsconsole.faults.declined_payments import FAULT
from tests.faults.conftest import RUN, WITHIN_SECONDS, Happened, MakeMeans, left_over

PATH = "/api/v1/billing/payment-methods"
DECLINED = {"error": {"code": "card_declined", "decline_code": "generic_decline"}}


class Payments:
    """A service that attaches payment methods, or does what a test has it do."""

    def __init__(self, httpserver: HTTPServer) -> None:
        self.attached: dict[str, dict[str, Any]] = {}
        self.posts = 0
        self.lists = True
        self.forgets = False
        self.cuts = False
        self.answers: list[Response] = []
        self.url = httpserver.url_for("")
        httpserver.expect_request(PATH, method="POST").respond_with_handler(self.attach)
        httpserver.expect_request(PATH, method="GET").respond_with_handler(self.listed)
        self.server = httpserver

    def attach(self, request: Request) -> Response:
        self.posts += 1
        if self.answers:
            return self.answers.pop(0)
        if "Declined" in request.get_json()["stripe_payment_method_id"]:
            return as_json(DECLINED, 402)
        id = f"pm_{self.posts}"
        self.attached[id] = {"id": id, "metadata": request.get_json()["metadata"]}
        self.server.expect_request(f"{PATH}/{id}", method="DELETE").respond_with_handler(self.remove)
        if self.cuts:
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return as_json({} if self.forgets else {"payment_method": id})

    def listed(self, request: Request) -> Response:
        if not self.lists:
            return as_json({}, 404)
        return as_json({"data": list(self.attached.values())[:2]})  # in parts, whatever is asked for

    def remove(self, request: Request) -> Response:
        return as_json({}, 200 if self.attached.pop(request.path.rpartition("/")[2], None) else 404)


def as_json(told: object, status: int = 200) -> Response:
    return Response(json.dumps(told), status=status, content_type="application/json")


@pytest.fixture
def payments(httpserver: HTTPServer) -> Payments:
    return Payments(httpserver)


async def test_a_decline_is_told_in_stripe_s_words_and_nothing_is_left(
    means: Means, service_url: str, happened: Happened
) -> None:
    async with FAULT.open(means) as doses:
        assert await doses.give(3, 5) == "402 card_declined generic_decline"
        assert len(await left_over(service_url)) == 5
    assert await left_over(service_url) == []
    assert happened.of("ended") == ["5 payment methods removed, the list is empty"]


async def test_declines_alone_leave_nothing(means: Means, happened: Happened) -> None:
    async with FAULT.open(means) as doses:
        await doses.give(2, 0)
    assert happened.of("ended") == ["nothing was attached, the list is empty"]
    assert "DELETE" not in happened.words


async def test_a_card_that_attaches_and_is_declined_is_removed_too(
    means_on: MakeMeans, service_url: str
) -> None:
    means = means_on(service_url, declining_payment_method="pm_card_chargeCustomerFail")
    async with FAULT.open(means) as doses:
        assert await doses.give(3, 0) == "402 card_declined generic_decline"
        assert len(await left_over(service_url)) == 3
    assert await left_over(service_url) == []


async def test_passing_ones_go_first(means: Means, happened: Happened) -> None:
    async with FAULT.open(means) as doses:
        await doses.give(4, 4)
        assert [exchange.status for exchange in happened.of("POST")] == [200] * 4 + [402] * 4


async def test_a_failing_block_leaves_nothing(means: Means, service_url: str, happened: Happened) -> None:
    async def drill() -> None:
        async with FAULT.open(means) as doses:
            await doses.give(0, 3)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await drill()
    assert await left_over(service_url) == []
    assert happened.journal == ["begun", "ended"]


async def test_cancelled_in_the_middle_of_a_dose_it_leaves_nothing(
    means: Means, service_url: str, happened: Happened
) -> None:
    async def drill() -> None:
        async with FAULT.open(means) as doses:
            await doses.give(0, 400)

    task = asyncio.create_task(drill())

    async def under_way() -> bool:
        return len(happened.of("POST")) > 20

    assert await until(under_way, within_seconds=WITHIN_SECONDS, what="some to be attached")
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(happened.of("POST")) < 400
    assert await left_over(service_url) == []
    assert happened.journal == ["begun", "ended"]


async def test_what_others_have_attached_stays(payments: Payments, means_on: MakeMeans) -> None:
    """Also where the service lists them to anybody who asks for a run's."""
    payments.attached["pm_real"] = {"id": "pm_real", "metadata": {"opsconsole_run": f"{RUN}0"}}
    payments.attached["pm_bare"] = {"id": "pm_bare"}
    async with FAULT.open(means_on(payments.url)) as doses:
        await doses.give(0, 3)
    assert list(payments.attached) == ["pm_real", "pm_bare"]


async def test_a_list_in_parts_is_read_until_it_is_empty(payments: Payments, means_on: MakeMeans) -> None:
    payments.forgets = True
    async with FAULT.open(means_on(payments.url)) as doses:
        await doses.give(0, 5)
        assert len(payments.attached) == 5
    assert payments.attached == {}


async def test_a_service_without_a_list_is_believed_what_it_answered(
    payments: Payments, means_on: MakeMeans, happened: Happened
) -> None:
    payments.lists = False
    async with FAULT.open(means_on(payments.url)) as doses:
        await doses.give(2, 2)
    assert payments.attached == {}
    assert happened.of("ended") == ["2 payment methods removed"]


async def test_without_a_list_what_was_not_told_may_be_left(
    payments: Payments, means_on: MakeMeans, happened: Happened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declined_payments, "_END_WITHIN_SECONDS", 1.0)
    payments.lists, payments.forgets = False, True
    means = means_on(payments.url, declining_payment_method="pm_card_chargeCustomerFail")
    payments.answers.append(as_json(DECLINED, 402))
    with pytest.raises(TimedOut, match="payments with pm_card_chargeCustomerFail was not seen to end"):
        async with FAULT.open(means) as doses:
            await doses.give(1, 0)
    assert happened.journal == ["begun"]


@pytest.mark.parametrize(("lists", "status"), [(True, 500), (False, 500), (False, 404)])
async def test_an_end_that_cannot_be_seen_stays_open(
    lists: bool,
    status: int,
    payments: Payments,
    means_on: MakeMeans,
    happened: Happened,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where there is no list it may be that there is no DELETE either: its 404 says nothing."""
    monkeypatch.setattr(declined_payments, "_END_WITHIN_SECONDS", 1.0)
    monkeypatch.setattr(payments, "remove", lambda request: as_json({}, status))
    payments.lists = lists
    with pytest.raises(TimedOut, match="not seen to end") as unseen:
        async with FAULT.open(means_on(payments.url)) as doses:
            await doses.give(0, 1)
    assert unseen.value.hint == "opsconsole cleanup"
    assert happened.journal == ["begun"]


@pytest.mark.parametrize(
    ("bad", "passing", "status", "said"),
    [
        (1, 0, 200, "answered 200, not 402"),
        (1, 0, 500, "answered 500, not 402"),
        (1, 0, 404, "answered 404, not 402"),
        (0, 1, 402, "answered 402, not 200"),
        (0, 1, 302, "answered 302, not 200"),
    ],
)
async def test_any_other_answer_ends_it_and_is_a_failure(
    payments: Payments, means_on: MakeMeans, bad: int, passing: int, status: int, said: str
) -> None:
    payments.answers.append(as_json({"oh": "dear"}, status))
    with pytest.raises(Unexpected, match=said) as unexpected:
        async with FAULT.open(means_on(payments.url)) as doses:
            await doses.give(bad, passing)
    assert unexpected.value.exit_code == 1


async def test_the_first_that_goes_wrong_is_the_last_that_is_sent(
    payments: Payments, means_on: MakeMeans, happened: Happened
) -> None:
    payments.answers.extend(as_json({}, 503) for _ in range(2 * _AT_A_TIME))
    with pytest.raises(Unexpected):
        async with FAULT.open(means_on(payments.url)) as doses:
            await doses.give(0, 2 * _AT_A_TIME)
    assert payments.posts <= _AT_A_TIME
    assert happened.journal == ["begun", "ended"]


async def test_a_lost_connection_is_not_seen_and_what_it_may_have_made_is_looked_for(
    payments: Payments, means_on: MakeMeans, happened: Happened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declined_payments, "_LATE_SECONDS", 0.01)
    payments.cuts = True
    with pytest.raises(Unseen):
        async with FAULT.open(means_on(payments.url)) as doses:
            await doses.give(0, 1)
    assert (payments.posts, payments.attached) == (1, {})
    assert happened.journal == ["begun", "ended"]
