"""Inboxes that are none of the lab's: IMAP, Mailpit and Postmark, each against a stand-in."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from opsconsole import config
from opsconsole.clients.inbox import Inbox, make
from opsconsole.errors import ConfigError, Nonsense, Refused, TimedOut, Unreachable
from opsconsole.model import Exchange
from opsconsole.redaction import redact_event
from opsconsole.secrets import MadeUp
from tests.clients.test_http import certificate
from tests.standins.imap import Mailbox, imap_server

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp()
MAIL = (
    b"From: alerts@rsolv.dev\r\nTo: Admin <admin@rsolv.dev>\r\nSubject: [FIRING:1] Drill\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>run 20261122-test \xc3\xa4</p>\r\n"
)


@pytest.fixture
async def opened(recorded: list[Exchange]) -> AsyncIterator[Any]:
    """Inboxes by their settings, closed at the end."""
    inboxes: list[Inbox] = []

    def open_inbox(**settings: Any) -> Inbox:
        inboxes.append(make(config.Inbox(**settings), recorded.append, timeout_seconds=60.0))
        return inboxes[-1]

    yield open_inbox
    for inbox in inboxes:
        await inbox.close()


def imap_settings(port: int, **more: Any) -> dict[str, Any]:
    password = MadeUp("env:IMAP_PASSWORD", "open-sesame")
    return {"kind": "imap", "host": "127.0.0.1", "port": port, "user": "reader", "password": password, **more}


async def test_imap_finds_the_mail_of_a_run(opened: Any, recorded: list[Exchange]) -> None:
    mailbox = Mailbox(mails=[("22-Nov-2026 11:00:00 +0000", b"Subject: other\r\n\r\nnothing"),
                             ("22-Nov-2026 13:00:01 +0100", MAIL)])  # fmt: skip
    async with imap_server(mailbox) as port:
        inbox = opened(**imap_settings(port, address="admin@rsolv.dev"))
        assert "2 messages" in await inbox.check()
        (message,) = await inbox.find("20261122-test", since=NOON)
        assert await inbox.find("20261122-test", since=NOON + 2) == []
        assert await inbox.find("no-such-run", since=NOON) == []
        assert mailbox.connections == 1
    assert (message.subject, message.to, message.delivered) == ("[FIRING:1] Drill", ["admin@rsolv.dev"], True)
    assert message.at == NOON + 1
    assert "ä" in message.body_excerpt
    assert 'UID SEARCH SINCE 21-Nov-2026 TEXT "20261122-test" TO "admin@rsolv.dev"' in mailbox.commands
    assert [exchange.method for exchange in recorded] == ["IMAP"] * 4
    assert "open-sesame" not in str([redact_event(exchange) for exchange in recorded])


async def test_imap_over_tls_with_an_authority_of_its_own(opened: Any, tmp_path: Path) -> None:
    file, context = certificate(tmp_path)
    async with imap_server(Mailbox(), tls=context) as port:
        assert "0 messages" in await opened(**imap_settings(port, ca_file=file)).check()
        other = tmp_path / "other"
        other.mkdir()
        with pytest.raises(Unreachable, match="not trusted"):
            await opened(**imap_settings(port, ca_file=certificate(other)[0])).check()


async def test_imap_wrong_password_and_wrong_folder(opened: Any) -> None:
    async with imap_server(Mailbox(password="another")) as port:
        with pytest.raises(Refused, match="did not let reader in"):
            await opened(**imap_settings(port)).check()
    async with imap_server(Mailbox()) as port:
        with pytest.raises(Refused, match="no folder Drills"):
            await opened(**imap_settings(port, folder="Drills")).check()


async def test_imap_nobody_there(opened: Any) -> None:
    with pytest.raises(Unreachable, match="refused"):
        await opened(**imap_settings(1)).check()


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("greeting", b"SSH-2.0-OpenSSH\r\n"),
        ("CAPABILITY", b"\xff\xfe\r\n"),
        ("EXAMINE", b"* many EXISTS\r\nTAG OK done\r\n"),
        ("SEARCH", b"* SEARCH x y\r\nTAG OK done\r\n"),
        ("SEARCH", b"TAG NO never\r\n"),
        ("FETCH", b"* 1 FETCH (UID 1)\r\nTAG OK done\r\n"),
        ("FETCH", b"* 1 FETCH (UID 1 BODY[]<0> {2}\r\nab)\r\nTAG OK done\r\n"),
        ("FETCH", b'* 1 FETCH (INTERNALDATE "yesterday" BODY[]<0> {2}\r\nab)\r\nTAG OK done\r\n'),
    ],
)
async def test_imap_damaged_answers(opened: Any, step: str, answer: bytes) -> None:
    mailbox = Mailbox(mails=[("22-Nov-2026 13:00:01 +0100", MAIL)], damage={step: answer})
    async with imap_server(mailbox) as port:
        with pytest.raises((Nonsense, TimedOut, Unreachable)):
            await opened(**imap_settings(port)).find("20261122-test", since=NOON)


async def test_imap_that_hangs_is_given_up_and_opened_again(opened: Any) -> None:
    mailbox = Mailbox(mails=[("22-Nov-2026 13:00:01 +0100", MAIL)], damage={"SEARCH": b""})
    async with imap_server(mailbox) as port:
        inbox = opened(**imap_settings(port, timeout_seconds=3.0))
        with pytest.raises(TimedOut):
            await inbox.find("20261122-test", since=NOON)
        mailbox.damage.clear()
        assert len(await inbox.find("20261122-test", since=NOON)) == 1
    assert mailbox.connections == 2
    assert len(asyncio.all_tasks()) < 5


async def test_mailpit(opened: Any, httpserver: HTTPServer) -> None:
    asked = {"query": '"run-1" to:"a@b"', "limit": "50"}
    mail = {
        "ID": "x", "Created": "2026-11-22T12:00:01.5Z", "Subject": "s", "Snippet": "run-1",
        "From": {"Address": "c@d", "Name": ""}, "To": [{"Address": "a@b", "Name": ""}], "Cc": None,
    }  # fmt: skip
    httpserver.expect_request("/api/v1/search", query_string=asked).respond_with_json(
        {"messages": [mail, {**mail, "ID": "old", "Created": "2026-11-22T11:00:00Z"}]}
    )
    httpserver.expect_request("/api/v1/info").respond_with_json({"Version": "v1.2", "Messages": 7})
    inbox = opened(kind="mailpit", url=httpserver.url_for(""), address="a@b")
    assert "Mailpit v1.2" in await inbox.check()
    (message,) = await inbox.find("run-1", since=NOON)
    assert (message.id, message.to, message.sender, message.at) == ("x", ["a@b"], "c@d", NOON + 1.5)


class PostmarkStandIn:
    """Postmark's message API with one mail; `events` are what became of it."""

    def __init__(self, server: HTTPServer, *events: str, subject: str = "Drill", text: str = "run-1") -> None:
        mail = {
            "MessageID": "m1", "ReceivedAt": "2026-11-22T07:00:01.4178645-05:00", "Subject": subject,
            "From": "alerts@rsolv.dev", "To": [{"Email": "Admin@rsolv.dev", "Name": None}], "Status": "Sent",
        }  # fmt: skip
        told = [{"Type": event, "Recipient": "admin@rsolv.dev", "Details": {}} for event in events]
        token = {"X-Postmark-Server-Token": "postmark-token"}
        server.expect_request("/messages/outbound", headers=token).respond_with_json(
            {"TotalCount": 1, "Messages": [mail]}
        )
        server.expect_request("/messages/outbound/m1/details", headers=token).respond_with_json(
            {**mail, "TextBody": text, "HtmlBody": "", "MessageEvents": told}
        )
        self.settings = {
            "kind": "postmark", "url": server.url_for(""), "address": "admin@rsolv.dev",
            "token": MadeUp("env:POSTMARK", "postmark-token"),
        }  # fmt: skip


@pytest.mark.parametrize(
    ("events", "delivered"), [(("Sent", "Delivered"), True), (("Sent",), False), ((), False)]
)
async def test_postmark_sent_is_not_delivered(
    opened: Any, httpserver: HTTPServer, events: tuple[str, ...], delivered: bool
) -> None:
    inbox = opened(**PostmarkStandIn(httpserver, *events).settings)
    assert "1 messages" in await inbox.check()
    (message,) = await inbox.find("run-1", since=NOON)
    assert message.delivered is delivered
    assert message.at == pytest.approx(NOON + 1.4178645, abs=1e-5)
    assert await inbox.find("run-1", since=NOON + 2) == []


async def test_postmark_is_asked_in_its_own_time_zone(opened: Any, httpserver: HTTPServer) -> None:
    await opened(**PostmarkStandIn(httpserver).settings).find("run-1", since=NOON)
    listing = next(request for request, _ in httpserver.log if request.path == "/messages/outbound")
    assert dict(listing.args) == {
        "count": "50", "offset": "0", "fromdate": "2026-11-22T07:00:00", "recipient": "admin@rsolv.dev",
    }  # fmt: skip


async def test_postmark_reads_the_mails_of_others_once(opened: Any, httpserver: HTTPServer) -> None:
    inbox = opened(**PostmarkStandIn(httpserver, "Delivered", text="something else").settings)
    for _ in range(3):
        assert await inbox.find("run-1", since=NOON) == []
    assert len([request for request, _ in httpserver.log if request.path.endswith("/details")]) == 1


async def test_postmark_with_a_wrong_token(opened: Any, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/messages/outbound").respond_with_json({"ErrorCode": 10}, status=401)
    settings = {"kind": "postmark", "url": httpserver.url_for(""), "token": MadeUp("env:P", "wrong-token")}
    with pytest.raises(Refused):
        await opened(**settings).check()


def test_postmark_without_a_token() -> None:
    with pytest.raises(ConfigError, match="token"):
        make(config.Inbox(kind="postmark"), lambda _: None)
