"""The lab's inbox: mailbox, Slack and PagerDuty sinks in one, asked over HTTP."""

from collections.abc import Callable

import msgspec

from opsconsole import config
from opsconsole.clients.http import Endpoint, Http
from opsconsole.clients.inbox import EXCERPT, Message
from opsconsole.model import Exchange


class LabInbox:
    """See `opsconsole.clients.inbox.Inbox`."""

    kind = "lab"

    def __init__(
        self, settings: config.Inbox, record: Callable[[Exchange], None], timeout_seconds: float
    ) -> None:
        self._http = Http("inbox", Endpoint(settings.url, timeout_seconds=timeout_seconds), record)
        self.address = settings.address

    async def check(self) -> str:
        (await self._http.get("/health")).json(dict[str, object])
        return f"the lab's inbox at {self._http.base}"

    async def find(self, text: str, *, since: float) -> list[Message]:
        wanted = {"run": text} | ({"to": self.address} if self.address else {})
        kept = (await self._http.get("/messages", wanted)).json(list[_Message])
        return [
            Message(
                id=str(one.id),
                channel=one.channel,
                to=one.to,
                sender=one.sender,
                subject=one.subject,
                at=one.at,
                body_excerpt=one.body[:EXCERPT],
                delivered=True,
            )
            for one in kept
            if one.at >= since
        ]

    async def close(self) -> None:
        await self._http.close()


class _Message(msgspec.Struct):
    id: int
    channel: str
    at: float
    to: list[str]
    sender: str
    subject: str
    body: str
