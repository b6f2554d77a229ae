"""The inbox: what mail servers, Alertmanager and PagerDuty's clients send is kept and can be asked for."""

import asyncio
import smtplib
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from opsconsole.lab.inbox import MAX_MESSAGES, Inbox
from opsconsole.lab.mail import PATH, MailServer
from tests.lab.conftest import served


def mail(subject: str, body: str, html: str = "") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "alertmanager@rsolv.dev", "admin@rsolv.dev", subject
    message.set_content(body)
    if html:
        message.add_alternative(html, subtype="html")
    return message


async def deliver(inbox: Inbox, message: EmailMessage, *recipients: str) -> None:
    """Hand a mail over by SMTP, as a mail server would."""
    server = MailServer(inbox.keep)
    port = await server.open()

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            client.send_message(message, to_addrs=list(recipients))

    await asyncio.to_thread(send)
    server.close()


async def asked(http: httpx.AsyncClient, **wanted: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = (await http.get("/messages", params=wanted)).json()
    return messages


async def test_a_mail_is_kept_with_its_recipients_and_its_plain_text() -> None:
    inbox = Inbox()
    await deliver(inbox, mail("Fire — now", "run r1\nplain", "<p>html</p>"), "a@x.dev", "b@x.dev")
    async with served(inbox.routes()) as http:
        [message] = await asked(http)
    assert (message["channel"], message["to"]) == ("email", ["a@x.dev", "b@x.dev"])
    assert (message["subject"], message["sender"]) == ("Fire — now", "alertmanager@rsolv.dev")
    assert message["body"].splitlines() == ["run r1", "plain"]
    assert message["headers"]["To"] == "admin@rsolv.dev"


async def test_a_run_is_found_anywhere_in_a_message_and_only_there() -> None:
    inbox = Inbox()
    await deliver(inbox, mail("about run-7", "nothing"), "a@x.dev")
    await deliver(inbox, mail("nothing", "it is run-7 again"), "b@x.dev")
    await deliver(inbox, mail("nothing", "run-8"), "a@x.dev")
    async with served(inbox.routes()) as http:
        assert [m["to"] for m in await asked(http, run="run-7")] == [["a@x.dev"], ["b@x.dev"]]
        assert [m["to"] for m in await asked(http, run="run-7", to="b@x.dev")] == [["b@x.dev"]]
        assert await asked(http, run="run-9") == []
        assert await asked(http, channel="slack") == []
        assert len(await asked(http)) == 3


async def test_slack_gets_its_plain_ok() -> None:
    note = {"channel": "#billing-alerts", "username": "Alertmanager",
            "attachments": [{"title": "[FIRING] X", "text": "run r2"}]}  # fmt: skip
    async with served(Inbox().routes()) as http:
        answer = await http.post("/slack", json=note)
        [message] = await asked(http, run="r2", channel="slack")
    assert (answer.status_code, answer.text) == (200, "ok")
    assert (message["to"], message["subject"]) == (["#billing-alerts"], "[FIRING] X")


async def test_pagerduty_gets_its_202_and_an_invalid_event_its_400() -> None:
    event = {
        "routing_key": "key",
        "event_action": "trigger",
        "dedup_key": "d",
        "payload": {"summary": "run r3"},
    }
    async with served(Inbox().routes()) as http:
        answer = await http.post("/pagerduty/v2/enqueue", json=event)
        refused = await http.post("/pagerduty/v2/enqueue", json={**event, "event_action": "shout"})
        [message] = await asked(http, run="r3")
    assert (answer.status_code, answer.json()["dedup_key"]) == (202, "d")
    assert refused.status_code == 400
    assert (message["channel"], message["subject"]) == ("pagerduty", "trigger: run r3")


async def test_the_mail_server_fails_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSCONSOLE_LAB_API_KEY", "key")
    inbox = Inbox()
    server, routes = MailServer(inbox.keep), inbox.routes()
    server.add_to(routes)
    port = await server.open()

    def send() -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            return client.send_message(mail("x", "y"), to_addrs=["a@x.dev", "b@x.dev"])

    async with served(routes) as http:
        own = {"authorization": "Bearer key"}
        assert (await http.post(PATH, json={"lost": True})).status_code == 401
        assert (await http.post(PATH, json={"slow": True}, headers=own)).status_code == 400
        await http.post(PATH, json={"refused": {"b@x.dev": "550 nobody"}}, headers=own)
        assert await asyncio.to_thread(send) == {"b@x.dev": (550, b"nobody")}
        await http.post(PATH, json={"refused": {}, "lost": True}, headers=own)
        assert await asyncio.to_thread(send) == {}
        assert [m["to"] for m in await asked(http)] == [["a@x.dev"]]
        await http.post(PATH, json={"listening": False}, headers=own)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.to_thread(send)
        await http.post(PATH, json={"listening": True, "login_required": True}, headers=own)
        with pytest.raises(smtplib.SMTPSenderRefused, match="Authentication required"):
            await asyncio.to_thread(send)
    server.close()


async def test_only_the_newest_messages_are_kept() -> None:
    inbox = Inbox()
    for number in range(MAX_MESSAGES + 10):
        inbox.keep("email", ["a@x.dev"], "s", f"mail {number}", "")
    async with served(inbox.routes()) as http:
        messages = await asked(http)
        assert (await http.get("/health")).json() == {"status": "ok", "messages": MAX_MESSAGES}
    assert (len(messages), messages[0]["subject"]) == (MAX_MESSAGES, "mail 10")
