"""Mail servers that take mails, that refuse them for each reason, and that cannot be asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import yaml
from pytest_httpserver import HTTPServer

from opsconsole.clients.alertmanager import Alertmanager
from opsconsole.clients.http import Endpoint, Http
from opsconsole.clients.smtp import MailServer as Asked
from opsconsole.engine.checklist import use
from opsconsole.engine.discover import discover
from opsconsole.engine.perform import Perform, Result
from opsconsole.lab.mail import Behaviour, MailServer
from opsconsole.model import Exchange, Outcome

Verified = Callable[..., Awaitable[tuple[Result, list[Exchange]]]]


@pytest.fixture
def verified(httpserver: HTTPServer, pytestconfig: pytest.Config) -> Verified:
    """What the check says of an Alertmanager that hands its mails over to `smarthost` with these settings,
    and the conversations that it had with mail servers."""

    async def perform(smarthost: str, severity: str = "high", **settings: Any) -> Any:
        answer = httpserver.expect_request("/api/v2/status")
        answer.respond_with_json(status(smarthost, settings))
        talks: list[Exchange] = []
        http = Http("alertmanager", Endpoint(httpserver.url_for("")), lambda exchange: None)
        check = discover(pytestconfig.rootpath / "checks")["mail_server_answers"]
        clients = {
            "alertmanager": Alertmanager(http, lambda *seen: None),
            "mail_server": Asked(talks.append, timeout_seconds=30.0),
        }
        performance = Perform(
            item="mail",
            use=use(check, {"labels": {"severity": severity}}, {}, where="test"),
            clients=clients,
            environment="test",
            timeout_seconds=60.0,
            show=lambda event: None,
        )
        result = await performance.result()
        await http.close()
        return result, talks

    return perform


def status(smarthost: str, settings: dict[str, Any]) -> dict[str, Any]:
    mails = [{"to": "a@x.dev, b@x.dev", "from": "am@x.dev", "smarthost": smarthost, **settings}]
    config = {
        "route": {"receiver": "people", "routes": [{"receiver": "chat", "matchers": ['severity="low"']}]},
        "receivers": [{"name": "people", "email_configs": mails}, {"name": "chat"}],
    }
    return {
        "config": {"original": yaml.safe_dump(config)},
        "versionInfo": {"version": "0.33.1"},
        "cluster": {"status": "disabled"},
        "uptime": "2026-01-01T00:00:00Z",
    }


@asynccontextmanager
async def mail_server(**behaviour: Any) -> AsyncIterator[tuple[str, list[object]]]:
    """Its address, and the mails that it was given."""
    kept: list[object] = []
    server = MailServer(lambda *mail, **headers: kept.append(mail))
    address = f"127.0.0.1:{await server.open()}"
    await server.behave(Behaviour(**behaviour))
    try:
        yield address, kept
    finally:
        server.close()


async def test_passes_and_sends_nothing(verified: Verified) -> None:
    async with mail_server() as (address, kept):
        result, [talk] = await verified(address, require_tls=False, hello="am.x.dev")
    said = f"the mail server {address} would take a mail to a@x.dev, b@x.dev"
    assert result == Result(Outcome.PASS, said)
    assert talk.request_body.splitlines() == [
        "EHLO am.x.dev", "MAIL FROM:<am@x.dev>", "RCPT TO:<a@x.dev>", "RCPT TO:<b@x.dev>", "RSET", "QUIT"
    ]  # fmt: skip
    assert kept == []


@pytest.mark.parametrize(
    ("behaviour", "tls", "summary"),
    [
        (
            {"refused": {"b@x.dev": "550 no such person"}},
            False,
            "b@x.dev: the mail server {} refuses the recipient: 550 no such person",
        ),
        (
            {"refused": {"*": "451 greylisted"}},
            False,
            "a@x.dev: the mail server {} refuses the recipient for now: 451 greylisted (and 1 more)",
        ),
        (
            {"login_required": True},
            False,
            "{}: the mail server wants a login, and Alertmanager is given none: "
            "530 5.7.0 Authentication required",
        ),
        (
            {},
            True,
            "{}: the mail server does not offer STARTTLS, and Alertmanager is to send nothing without it",
        ),
    ],
    ids=["one recipient", "for now", "a login", "no TLS"],
)
async def test_fails(behaviour: dict[str, Any], tls: bool, summary: str, verified: Verified) -> None:
    async with mail_server(**behaviour) as (address, _):
        result, _ = await verified(address, require_tls=tls)
    assert result == Result(Outcome.FAIL, summary.format(address))


async def test_with_a_login_only_what_is_offered_is_looked_at(verified: Verified) -> None:
    async with mail_server(refused={"*": "554 relay access denied"}) as (address, _):
        result, _ = await verified(address, require_tls=False, auth_username="opsconsole")
    assert result.outcome is Outcome.UNKNOWN
    assert "it answers, and whom it takes was not asked" in result.summary


async def test_unknown_where_it_is_not_reached_from_here(verified: Verified) -> None:
    result, [talk] = await verified("127.0.0.1:1")
    assert result.outcome is Outcome.UNKNOWN
    assert result.summary == (
        "mail server 127.0.0.1:1: connection refused; it was asked from here: "
        "whether Alertmanager reaches it from where it runs is not known"
    )
    assert talk.error == "connection refused"


@pytest.mark.parametrize(
    ("greeting", "saying"),
    [
        (b"554 go away\r\n", "does not talk to us: 554 go away"),
        (b"HTTP/1.1 400 Bad Request\r\n", "does not talk to us"),
        (b"", "broke off"),
    ],
    ids=["go away", "no SMTP", "nothing"],
)
async def test_unknown_where_it_does_not_talk(greeting: bytes, saying: str, verified: Verified) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        result, _ = await verified(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert result.outcome is Outcome.UNKNOWN
    assert saying in result.summary


async def test_skipped_where_no_mail_is_sent(verified: Verified) -> None:
    result, talks = await verified("127.0.0.1:1", severity="low")
    assert result == Result(Outcome.SKIP, "no mail is sent by chat")
    assert talks == []
