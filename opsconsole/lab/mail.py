"""The mail server in front of the lab's mailbox: it takes every mail, or fails as mail servers do."""

import asyncio
import email
import email.policy
import os
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from aiosmtpd.smtp import SMTP

from opsconsole.clients.mailtext import text_of
from opsconsole.lab.http import Invalid, Request, Response, Routes, reply

PATH = "/lab/mail"
"""`GET` tells how the mail server behaves; `POST` with the lab's API key changes what it names."""

Keep = Callable[..., object]
"""Puts a mail into the mailbox: channel, recipients, sender, subject, body, headers."""


@dataclass(frozen=True)
class Behaviour:
    """How the mail server takes mail.

    `listening`: whether its port is open. `refused` maps recipients (`*`: all) to what it says to them, such
    as `550 no such person`. `lost`: it takes a mail and never delivers it. `delay_seconds` pass before it
    says that it has taken one. `login_required`: it takes none without a login, and there is no good one.
    """

    listening: bool = True
    refused: dict[str, str] = field(default_factory=dict)
    lost: bool = False
    delay_seconds: float = 0.0
    login_required: bool = False


class MailServer:
    """Takes mails on a port of 127.0.0.1 and hands them to `keep`."""

    def __init__(self, keep: Keep, port: int = 0) -> None:
        self._keep = keep
        self._port = port
        self._server: asyncio.Server | None = None
        self.behaviour = Behaviour()

    def add_to(self, routes: Routes) -> None:
        routes.add("GET", PATH, self._show)
        routes.add("POST", PATH, self._change)

    async def open(self) -> int:
        """Listen; returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._conversation, "127.0.0.1", self._port)
        self._port = int(self._server.sockets[0].getsockname()[1])
        return self._port

    def close(self) -> None:
        """Listen no more; conversations that have begun go on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def behave(self, behaviour: Behaviour) -> None:
        """From the next conversation on."""
        self.behaviour = behaviour
        if not behaviour.listening:
            self.close()
        elif self._server is None:
            await self.open()

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """aiosmtpd calls this for each recipient."""
        refused = self.behaviour.refused
        if said := refused.get(address, refused.get("*", "")):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """aiosmtpd calls this for each mail."""
        await asyncio.sleep(self.behaviour.delay_seconds)
        if not self.behaviour.lost:
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            headers = {name: str(value) for name, value in mail.items()}
            people, sender = list(envelope.rcpt_tos), envelope.mail_from or ""
            self._keep("email", people, sender, headers.get("Subject", ""), text_of(mail), **headers)
        return "250 OK"

    def _conversation(self) -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a login without TLS
            return SMTP(
                self,
                hostname="inbox.lab",
                enable_SMTPUTF8=True,
                auth_required=self.behaviour.login_required,
                auth_require_tls=False,
            )

    async def _show(self, request: Request) -> Response:
        return reply(asdict(self.behaviour))

    async def _change(self, request: Request) -> Response:
        if request.bearer is None or request.bearer != os.environ.get("OPSCONSOLE_LAB_API_KEY"):
            raise Invalid(401, "Invalid API key")
        wishes = request.json_object()
        if unknown := sorted(wishes.keys() - {each.name for each in fields(Behaviour)}):
            raise Invalid(400, f"a mail server has no {', '.join(unknown)}")
        await self.behave(Behaviour(**{**asdict(self.behaviour), **wishes}))
        return await self._show(request)
