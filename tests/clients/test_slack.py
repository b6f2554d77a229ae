"""A Slack channel that is read, against a stand-in for Slack."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from opsconsole import config
from opsconsole.clients.inbox import Inbox, is_resolved, make_all, slack
from opsconsole.errors import Nonsense, Refused, Unreachable, Unseen
from opsconsole.model import Exchange
from opsconsole.redaction import redact_event
from opsconsole.secrets import MadeUp
from tests.standins.slack import TOKEN, Workspace, slack_server

NOON = 1795348800.0  # 2026-11-22 12:00:00 UTC

OpenInbox = Callable[..., Inbox]


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    async with slack_server(Workspace()) as served:
        yield served


@pytest.fixture
async def opened(
    workspace: Workspace, recorded: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[OpenInbox]:
    """Inboxes that read the stand-in, asking it each time, closed at the end."""
    monkeypatch.setattr(slack, "EVERY_SECONDS", 0.0)
    async with AsyncExitStack() as stack:

        def open_inbox(channel: str = "C0BILLING", token: str = TOKEN, **settings: Any) -> Inbox:
            secret = MadeUp("env:SLACK_TOKEN", token)
            read = config.Slack(token=secret, channel=channel, **{"url": workspace.url, **settings})
            environment = config.Environment(name="e", slack=read, request_timeout_seconds=60.0)
            (inbox,) = make_all(environment, recorded.append).values()
            stack.push_async_callback(inbox.close)
            return inbox

        yield open_inbox


def notice(status: str, run: str = "run-1", **more: Any) -> dict[str, Any]:
    attachment = {"title": f"[{status}] Drill", "text": f"opsconsole_run = {run}", "fallback": "f"}
    return {"text": "", "username": "Alertmanager", "attachments": [{**attachment, **more}]}


async def test_the_messages_of_a_run_are_found_in_text_and_attachments(
    opened: OpenInbox, workspace: Workspace
) -> None:
    workspace.post(NOON - 5, text="run-1 before")
    workspace.post(NOON + 1.25, **notice("FIRING"))
    workspace.post(NOON + 2, text="lunch?", user="U1")
    workspace.post(NOON + 3, **notice("FIRING", text="", fields=[{"title": "run", "value": "run-1"}]))
    workspace.post(NOON + 4, text="the RESOLVED of run-1", user="U1")
    first, second, third = await opened().find("run-1", since=NOON)
    assert (first.channel, first.to, first.sender) == ("slack", ["C0BILLING"], "Alertmanager")
    assert (first.subject, first.at, first.delivered) == ("[FIRING] Drill", NOON + 1.25, True)
    assert first.body_excerpt == "[FIRING] Drill\nopsconsole_run = run-1"
    assert second.at == NOON + 3
    assert (third.subject, third.sender) == ("the RESOLVED of run-1", "U1")
    assert [is_resolved(message) for message in (first, second, third)] == [False, False, True]


async def test_every_page_is_read_and_oldest_comes_first(opened: OpenInbox, workspace: Workspace) -> None:
    workspace.page = 2
    for second in range(5):
        workspace.post(NOON + second, text="run-1")
    found = await opened().find("run-1", since=NOON)
    assert [message.at - NOON for message in found] == [0, 1, 2, 3, 4]
    assert [query.get("cursor") for _, query in workspace.asked] == [None, "next:2", "next:4"]


async def test_a_channel_that_never_ends_is_read_within_bounds(
    opened: OpenInbox, workspace: Workspace
) -> None:
    workspace.page = 1
    for second in range(30):
        workspace.post(NOON + second, text="run-1")
    found = await opened().find("run-1", since=NOON)
    assert [message.at - NOON for message in found] == list(range(20, 30))


async def test_a_channel_by_its_name_is_looked_up_once(opened: OpenInbox, workspace: Workspace) -> None:
    workspace.page = 1
    inbox = opened("#billing-alerts")
    assert await inbox.check() == "Slack's #billing-alerts of Rsolv, read as opsconsole"
    await inbox.find("run-1", since=NOON)
    methods = [method for method, _ in workspace.asked]
    assert methods == ["auth.test", *["conversations.list"] * 2, *["conversations.history"] * 2]
    assert workspace.asked[-1][1]["channel"] == "C0BILLING"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"token": "xoxb-some-other-one"}, "answered invalid_auth"),
        ({"channel": "#nowhere"}, "shows the app no channel #nowhere"),
        ({"channel": "C0NOWHERE"}, "answered channel_not_found"),
        ({"channel": "C0GENERAL"}, "answered not_in_channel"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_refusal_within_a_200_is_one(
    opened: OpenInbox, workspace: Workspace, settings: dict[str, str], said: str
) -> None:
    workspace.outside = ("C0GENERAL",)
    for ask in (opened(**settings).check(), opened(**settings).find("run-1", since=NOON)):
        with pytest.raises(Refused, match=said) as caught:
            await ask
        assert caught.value.hint


async def test_a_scope_that_is_missing_is_named(opened: OpenInbox, workspace: Workspace) -> None:
    workspace.error = {"error": "missing_scope", "needed": "channels:history", "provided": "chat:write"}
    with pytest.raises(Refused, match=r"missing_scope \(channels:history\)"):
        await opened().find("run-1", since=NOON)


@pytest.mark.parametrize("error", ["internal_error", "fatal_error", "something_new", ""])
async def test_trouble_of_slacks_own_is_no_empty_channel(
    opened: OpenInbox, workspace: Workspace, error: str
) -> None:
    workspace.error = {"error": error}
    with pytest.raises(Nonsense):
        await opened().find("run-1", since=NOON)


async def test_it_waits_where_slack_says_so_and_not_for_ever(opened: OpenInbox, workspace: Workspace) -> None:
    workspace.post(NOON, text="run-1")
    workspace.busy = 2
    assert len(await opened().find("run-1", since=NOON)) == 1
    workspace.busy = 100
    with pytest.raises(Refused, match="asked too often"):
        await opened().find("run-1", since=NOON)


async def test_many_who_ask_are_told_from_one_answer(
    opened: OpenInbox, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack, "EVERY_SECONDS", 600.0)
    workspace.post(NOON, text="run-1")
    workspace.post(NOON + 9, text="run-2")
    inbox = opened()
    assert len(await inbox.find("run-1", since=NOON)) == 1
    assert len(await inbox.find("run-2", since=NOON + 5)) == 1
    assert await inbox.find("run-1", since=NOON + 5) == []
    assert len(workspace.asked) == 1
    assert await inbox.find("run-3", since=NOON - 9) == []
    assert len(workspace.asked) == 2


async def test_what_is_asked_reaches_back_to_the_first_who_asked(
    opened: OpenInbox, workspace: Workspace
) -> None:
    inbox = opened()
    for since in (NOON + 5, NOON, NOON + 9):
        await inbox.find("run-1", since=since)
    assert [float(query["oldest"]) - NOON for _, query in workspace.asked] == [5.0, 0.0, 0.0]


async def test_a_wrong_path_and_nobody_there(opened: OpenInbox, workspace: Workspace) -> None:
    with pytest.raises(Unseen):
        await opened(url=workspace.url.removesuffix("/api")).find("run-1", since=NOON)
    with pytest.raises(Unreachable):
        await opened(url="http://127.0.0.1:1/api").check()


async def test_the_token_is_in_no_evidence(opened: OpenInbox, recorded: list[Exchange]) -> None:
    await opened().check()
    assert TOKEN not in str([redact_event(exchange) for exchange in recorded])
    assert {exchange.server for exchange in recorded} == {"slack"}
