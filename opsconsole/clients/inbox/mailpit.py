"""Mailpit, a mail catcher with a REST API (v1)."""

from collections.abc import Callable

import msgspec

from opsconsole import config
from opsconsole.clients import wire
from opsconsole.clients.http import Endpoint, Http
from opsconsole.clients.inbox import EXCERPT, Message
from opsconsole.model import Exchange

_MOST = 50


class MailpitInbox:
    """See `opsconsole.clients.inbox.Inbox`."""

    kind = "mailpit"

    def __init__(
        self, settings: config.Inbox, record: Callable[[Exchange], None], timeout_seconds: float
    ) -> None:
        endpoint = Endpoint(
            settings.url,
            token=settings.token,
            user=settings.user,
            password=settings.password,
            ca_file=settings.ca_file,
            timeout_seconds=timeout_seconds,
        )
        self._http = Http("inbox", endpoint, record)
        self.address = settings.address

    async def check(self) -> str:
        told = (await self._http.get("/api/v1/info")).json(_Info)
        return f"Mailpit {told.Version} at {self._http.base}, {told.Messages} messages"

    async def find(self, text: str, *, since: float) -> list[Message]:
        query = f'"{text}"' + (f' to:"{self.address}"' if self.address else "")
        answer = await self._http.get("/api/v1/search", {"query": query, "limit": _MOST})
        found = [_message(one) for one in answer.json(_Search).messages]
        return sorted((one for one in found if one.at >= since), key=lambda message: message.at)

    async def close(self) -> None:
        await self._http.close()


class _Info(msgspec.Struct):
    Version: str
    Messages: int


class _Address(msgspec.Struct):
    Address: str


class _Message(msgspec.Struct):
    ID: str
    Created: wire.Moment
    Subject: str = ""
    Snippet: str = ""
    From: _Address | None = None
    To: list[_Address] | None = None
    Cc: list[_Address] | None = None
    Bcc: list[_Address] | None = None


class _Search(msgspec.Struct):
    messages: list[_Message]


def _message(one: _Message) -> Message:
    return Message(
        id=one.ID,
        channel="email",
        to=[address.Address for group in (one.To, one.Cc, one.Bcc) for address in group or ()],
        sender=one.From.Address if one.From else "",
        subject=one.Subject,
        at=wire.unix(one.Created),
        body_excerpt=one.Snippet[:EXCERPT],
        delivered=True,
    )
