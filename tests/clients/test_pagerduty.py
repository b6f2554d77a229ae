"""PagerDuty's incidents, against a stand-in for PagerDuty."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from opsconsole import config
from opsconsole.clients.inbox import Inbox, is_resolved, make_all, pagerduty
from opsconsole.errors import Refused, Unreachable, Unseen
from opsconsole.model import Exchange
from opsconsole.redaction import redact_event
from opsconsole.reports.curl import curl_line
from opsconsole.secrets import MadeUp
from tests.standins.pagerduty import TOKEN, Account, pagerduty_server

NOON = 1795348800.0  # 2026-11-22 12:00:00 UTC
TITLE = "[FIRING:1] Drill run-1 (billing critical)"

OpenInbox = Callable[..., Inbox]


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    async with pagerduty_server(Account()) as served:
        yield served


@pytest.fixture
async def opened(
    account: Account, recorded: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[OpenInbox]:
    """Inboxes that read the stand-in, asking it each time, closed at the end."""
    monkeypatch.setattr(pagerduty, "EVERY_SECONDS", 0.0)
    async with AsyncExitStack() as stack:

        def open_inbox(token: str = TOKEN, **settings: Any) -> Inbox:
            secret = MadeUp("env:PAGERDUTY_TOKEN", token)
            read = config.PagerDuty(token=secret, **{"url": account.url, **settings})
            environment = config.Environment(name="e", pagerduty=read, request_timeout_seconds=60.0)
            (inbox,) = make_all(environment, recorded.append).values()
            stack.push_async_callback(inbox.close)
            return inbox

        yield open_inbox


async def test_an_incident_is_a_message_and_its_end_another(opened: OpenInbox, account: Account) -> None:
    inbox = opened()
    account.trigger(NOON + 1, TITLE)
    (message,) = await inbox.find("run-1", since=NOON)
    assert (message.channel, message.to, message.delivered) == ("pagerduty", ["Billing"], True)
    assert (message.subject, message.at) == (f"trigger: {TITLE}", NOON + 1)
    assert not is_resolved(message)
    account.resolve(NOON + 61)
    begun, ended = await inbox.find("run-1", since=NOON)
    assert begun == message
    assert (ended.at, is_resolved(ended)) == (NOON + 61, True)


async def test_it_is_found_by_what_alertmanager_sent_with_it(opened: OpenInbox, account: Account) -> None:
    labels = {"alertname": "Drill", "opsconsole_run": "run-1"}
    account.trigger(NOON, "somebody's own title", details={"firing": [{"labels": labels}]})
    account.trigger(NOON, "another incident", key="other")
    (message,) = await opened().find("run-1", since=NOON)
    assert message.subject == "trigger: somebody's own title"
    assert "opsconsole_run" in message.body_excerpt


async def test_an_acknowledged_incident_is_not_over(opened: OpenInbox, account: Account) -> None:
    account.trigger(NOON, TITLE)["status"] = "acknowledged"
    (message,) = await opened().find("run-1", since=NOON)
    assert not is_resolved(message)


async def test_what_came_in_the_same_second_counts_and_nothing_before(
    opened: OpenInbox, account: Account
) -> None:
    account.trigger(NOON - 1, TITLE, key="before")
    account.trigger(NOON + 0.9, TITLE)
    (message,) = await opened().find("run-1", since=NOON + 0.5)
    assert message.at == NOON


async def test_every_page_is_read_and_the_newest_within_bounds(opened: OpenInbox, account: Account) -> None:
    for second in range(250):
        account.trigger(NOON + second, TITLE, key=str(second))
    found = await opened().find("run-1", since=NOON)
    assert [message.at - NOON for message in found] == list(range(250))
    assert [asked["offset"] for asked in account.asked] == [["0"], ["100"], ["200"]]
    for second in range(250, 1100):
        account.trigger(NOON + second, TITLE, key=str(second))
    found = await opened().find("run-1", since=NOON)
    assert [message.at - NOON for message in found] == list(range(100, 1100))


async def test_what_is_asked(opened: OpenInbox, account: Account) -> None:
    await opened().find("run-1", since=NOON + 0.5)
    assert account.asked == [
        {
            "since": ["2026-11-22T12:00:00Z"],
            "statuses[]": ["triggered", "acknowledged", "resolved"],
            "include[]": ["first_trigger_log_entries"],
            "sort_by": ["created_at:desc"],
            "limit": ["100"],
            "offset": ["0"],
        }
    ]


async def test_check_sees_that_incidents_may_be_read(opened: OpenInbox, account: Account) -> None:
    assert await opened().check() == f"the incidents of PagerDuty at {account.url}"


async def test_a_wrong_token(opened: OpenInbox) -> None:
    for ask in (opened("u+another-token").check(), opened("u+another-token").find("run-1", since=NOON)):
        with pytest.raises(Refused, match="401") as caught:
            await ask
        assert "pagerduty" in caught.value.hint


async def test_it_waits_where_pagerduty_says_so_and_not_for_ever(opened: OpenInbox, account: Account) -> None:
    account.trigger(NOON, TITLE)
    account.busy = 2
    assert len(await opened().find("run-1", since=NOON)) == 1
    account.busy = 100
    with pytest.raises(Refused, match="asked too often"):
        await opened().find("run-1", since=NOON)


async def test_a_wrong_path_and_nobody_there(opened: OpenInbox, account: Account) -> None:
    with pytest.raises(Unseen):
        await opened(url=f"{account.url}/v1").find("run-1", since=NOON)
    with pytest.raises(Unreachable):
        await opened(url="http://127.0.0.1:1").check()


async def test_the_token_is_in_no_evidence(opened: OpenInbox, recorded: list[Exchange]) -> None:
    await opened().check()
    (exchange,) = [redact_event(exchange) for exchange in recorded]
    assert TOKEN not in str(exchange)
    assert "'authorization: Token token='\"$PAGERDUTY_TOKEN\"" in curl_line(exchange)
