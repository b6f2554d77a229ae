"""Mail servers that take mails, that refuse them for each reason, and that cannot be asked."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiosmtpd.smtp import SMTP
from pytest_httpserver import HTTPServer

from opsconsole.clients.alertmanager import Alertmanager
from opsconsole.clients.http import Endpoint, Http
from opsconsole.clients.smtp import MailServer as Asked
from opsconsole.engine.checklist import use
from opsconsole.engine.discover import discover
from opsconsole.engine.perform import Perform, Result
from opsconsole.lab.mail import Behaviour, MailServer
from opsconsole.model import Exchange, Outcome
from tests.clients.test_http import certificate

Verified = Callable[..., Awaitable[tuple[Result, list[Exchange]]]]


@pytest.fixture
def verified(httpserver: HTTPServer, pytestconfig: pytest.Config) -> Verified:
    """What the check says of an Alertmanager that hands its mails over to `smarthost` with these settings,
    and the conversations that it had with mail servers."""

    async def perform(smarthost: str, severity: str = "high", **settings: Any) -> Any:
        httpserver.clear()
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
            {"refused": {"*": "530 Must issue a STARTTLS command first"}},
            False,
            "{}: the mail server takes nothing without TLS, and Alertmanager is to do without: "
            "530 Must issue a STARTTLS command first (and 1 more)",
        ),
        (
            {},
            True,
            "{}: the mail server does not offer STARTTLS, and Alertmanager is to send nothing without it",
        ),
    ],
    ids=["one recipient", "for now", "a login", "TLS alone", "no TLS"],
)
async def test_fails(behaviour: dict[str, Any], tls: bool, summary: str, verified: Verified) -> None:
    async with mail_server(**behaviour) as (address, _):
        result, _ = await verified(address, require_tls=tls)
    assert result == Result(Outcome.FAIL, summary.format(address))


@asynccontextmanager
async def with_tls(context: ssl.SSLContext, *, at_once: bool = False) -> AsyncIterator[str]:
    def conversation() -> SMTP:
        return SMTP(object(), tls_context=None if at_once else context)

    wish: dict[str, Any] = {"ssl": context} if at_once else {}
    server = await asyncio.get_running_loop().create_server(conversation, "127.0.0.1", 0, **wish)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("at_once", [False, True], ids=["STARTTLS", "TLS at once"])
async def test_tls(
    at_once: bool, verified: Verified, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, context = certificate(tmp_path)
    async with with_tls(context, at_once=at_once) as address:
        untrusted, _ = await verified(address, force_implicit_tls=at_once)
        careless = {"insecure_skip_verify": True}
        trusting, _ = await verified(address, force_implicit_tls=at_once, tls_config=careless)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        trusted, _ = await verified(address, force_implicit_tls=at_once)
    assert untrusted.outcome is Outcome.UNKNOWN
    assert "its certificate is not trusted here: self-signed certificate" in untrusted.summary
    assert trusting.outcome is trusted.outcome is Outcome.PASS


async def test_a_certificate_out_of_date_is_so_for_everybody(
    verified: Verified, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, context = certificate(tmp_path, expired=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    async with with_tls(context) as address:
        result, _ = await verified(address)
    assert result.outcome is Outcome.FAIL
    assert result.summary == f"{address}: the mail server's certificate is wrong: certificate has expired"


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
