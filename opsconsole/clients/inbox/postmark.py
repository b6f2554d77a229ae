"""Postmark, the mail service, asked what became of a message that it took for delivery.

Its search knows recipients, subjects and times, not texts, so the newest messages are read one by one.
`Sent` means that Postmark has passed it on; only a `Delivered` event is the destination's own OK.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import msgspec

from opsconsole import config
from opsconsole.clients.http import Endpoint, Http
from opsconsole.clients.inbox import EXCERPT, Message
from opsconsole.errors import ConfigError
from opsconsole.model import Exchange

PUBLIC_API = "https://api.postmarkapp.com"

_EASTERN = timezone(timedelta(hours=-5))
"""US Eastern without daylight time: asked in it, a search in summer reaches back an hour further."""

_MOST = 50


class PostmarkInbox:
    """See `opsconsole.clients.inbox.Inbox`. Raises ConfigError where the settings have no token."""

    kind = "postmark"

    def __init__(
        self, settings: config.Inbox, record: Callable[[Exchange], None], timeout_seconds: float
    ) -> None:
        if settings.token is None:
            raise ConfigError("an inbox of kind postmark needs a token", hint='token = "env:POSTMARK_TOKEN"')
        endpoint = Endpoint(
            settings.url or PUBLIC_API,
            headers={"X-Postmark-Server-Token": settings.token},
            ca_file=settings.ca_file,
            timeout_seconds=timeout_seconds,
        )
        self._http = Http("inbox", endpoint, record)
        self.address = settings.address
        self._others: set[str] = set()

    async def check(self) -> str:
        told = (await self._http.get("/messages/outbound", {"count": 1, "offset": 0})).json(_Search)
        return f"Postmark at {self._http.base}, {told.TotalCount} messages"

    async def find(self, text: str, *, since: float) -> list[Message]:
        asked = {
            "count": _MOST,
            "offset": 0,
            "fromdate": datetime.fromtimestamp(since, _EASTERN).strftime("%Y-%m-%dT%H:%M:%S"),
            **({"recipient": self.address} if self.address else {}),
        }
        listed = (await self._http.get("/messages/outbound", asked)).json(_Search).Messages
        found = []
        for one in listed:
            if _unix(one.ReceivedAt) < since or one.MessageID in self._others:
                continue
            details = (await self._http.get(f"/messages/outbound/{one.MessageID}/details")).json(_Details)
            if any(text in part for part in (one.From, one.Subject, details.TextBody, details.HtmlBody)):
                found.append(_message(one, details, self.address))
            else:
                self._others.add(one.MessageID)
        return sorted(found, key=lambda message: message.at)

    async def close(self) -> None:
        await self._http.close()


class _Recipient(msgspec.Struct):
    Email: str


class _Listed(msgspec.Struct):
    MessageID: str
    ReceivedAt: datetime
    Subject: str = ""
    From: str = ""
    To: list[_Recipient] = []


class _Search(msgspec.Struct):
    TotalCount: int
    Messages: list[_Listed]


class _Event(msgspec.Struct):
    Type: str
    Recipient: str = ""


class _Details(msgspec.Struct):
    TextBody: str = ""
    HtmlBody: str = ""
    MessageEvents: list[_Event] = []


def _message(one: _Listed, details: _Details, address: str) -> Message:
    delivered_to = {event.Recipient.lower() for event in details.MessageEvents if event.Type == "Delivered"}
    wanted = {address.lower()} if address else {each.Email.lower() for each in one.To}
    return Message(
        id=one.MessageID,
        channel="email",
        to=[each.Email for each in one.To],
        sender=one.From,
        subject=one.Subject,
        at=_unix(one.ReceivedAt),
        body_excerpt=(details.TextBody if details.TextBody.strip() else details.HtmlBody)[:EXCERPT],
        delivered=bool(wanted) and wanted <= delivered_to,
    )


def _unix(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=_EASTERN)).astimezone(UTC).timestamp()
