"""The lab's inbox: a mailbox, a Slack channel and a PagerDuty service that keep what they are sent.

`GET /messages` answers what arrived, oldest first, as a list of
`{id, channel, at, to, sender, subject, headers, body}`: `channel` is `email`, `slack` or `pagerduty`, `at` is
in unix seconds, `to` the recipients. The parameters `run`, `to` and `channel` select; a message belongs to
a run when the run's id occurs anywhere in it.
"""

import argparse
import asyncio
import itertools
import json
import time
from collections import deque
from dataclasses import asdict, dataclass, field

from opsconsole.lab.http import Request, Response, Routes, listen, reply, reply_text
from opsconsole.lab.mail import MailServer

MAX_MESSAGES = 2000
MAX_BODY_CHARACTERS = 200_000


@dataclass(frozen=True)
class Message:
    """One message as it arrived; `body` of a mail is its text, or its HTML where there is no text."""

    id: int
    channel: str
    at: float
    to: list[str]
    sender: str
    subject: str
    body: str
    headers: dict[str, str] = field(default_factory=dict)

    def mentions(self, text: str) -> bool:
        """Whether the text is anywhere in it; what is shown as the subject is part of one or the other."""
        return any(text in part for part in (self.body, *self.headers.values()))


class Inbox:
    """Keeps the newest messages and serves them."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque(maxlen=MAX_MESSAGES)
        self._ids = itertools.count(1)

    def keep(
        self, channel: str, to: list[str], sender: str, subject: str, body: str, **headers: str
    ) -> Message:
        message = Message(
            next(self._ids), channel, time.time(), to, sender, subject, body[:MAX_BODY_CHARACTERS], headers
        )
        self._messages.append(message)
        return message

    def routes(self) -> Routes:
        routes = Routes()
        routes.add("GET", "/health", self.show_health)
        routes.add("GET", "/messages", self.show_messages)
        routes.add("POST", "/slack", self.take_slack)
        routes.add("POST", "/pagerduty/v2/enqueue", self.take_pagerduty)
        return routes

    async def show_health(self, request: Request) -> Response:
        return reply({"status": "ok", "messages": len(self._messages)})

    async def show_messages(self, request: Request) -> Response:
        wanted = request.query
        return reply(
            [
                asdict(message)
                for message in self._messages
                if message.mentions(wanted.get("run", ""))
                and (not wanted.get("to") or wanted["to"] in message.to)
                and wanted.get("channel", message.channel) == message.channel
            ]
        )

    async def take_slack(self, request: Request) -> Response:
        """An incoming webhook of Slack's; it wants a plain `ok`."""
        note = request.json_object()
        attachments = note.get("attachments") or [{}]
        title = str(attachments[0].get("title") or note.get("text", ""))
        channel, sender = str(note.get("channel", "")), str(note.get("username", ""))
        self.keep("slack", [channel], sender, title, json.dumps(note, indent=2))
        return reply_text("ok")

    async def take_pagerduty(self, request: Request) -> Response:
        """PagerDuty's Events API v2."""
        event = request.json_object()
        if not event.get("routing_key") or event.get("event_action") not in (
            "trigger",
            "acknowledge",
            "resolve",
        ):
            errors = ["routing_key and event_action are required"]
            return reply(
                {"status": "invalid event", "message": "Event object is invalid", "errors": errors}, 400
            )
        summary = str((event.get("payload") or {}).get("summary", ""))
        subject = f"{event['event_action']}: {summary}"
        self.keep(
            "pagerduty",
            [event["routing_key"]],
            str(event.get("client", "")),
            subject,
            json.dumps(event, indent=2),
        )
        return reply(
            {"status": "success", "message": "Event processed", "dedup_key": event.get("dedup_key", "")}, 202
        )


async def main() -> None:
    parser = argparse.ArgumentParser(prog="opsconsole.lab.inbox")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    arguments = parser.parse_args()
    inbox = Inbox()
    mail_server = MailServer(inbox.keep, arguments.smtp_port)
    await mail_server.open()
    routes = inbox.routes()
    mail_server.add_to(routes)
    server = await listen(routes, arguments.port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
