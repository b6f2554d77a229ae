"""A Slack channel, read through Slack's Web API: `conversations.history`.

Slack says what went wrong in an answer of status 200, `"ok": false` and an error's name.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from opsconsole import config
from opsconsole.clients.http import Answer, Endpoint, Http
from opsconsole.clients.inbox import EXCERPT, Message
from opsconsole.clients.inbox.pace import MOST_PAGES, Newest, Told, patient_get
from opsconsole.errors import Nonsense, Refused
from opsconsole.model import Exchange
from opsconsole.redaction import excerpt

EVERY_SECONDS = 1.5
"""Slack allows `conversations.history` 50 times a minute (its tier 3)."""

_T = TypeVar("_T")
_A_PAGE = 200
_ID = re.compile(r"[CG][A-Z0-9]{6,}")
_TOKEN_HINT = "check the token of the environment's slack"
_HINTS = {
    "not_authed": _TOKEN_HINT,
    "invalid_auth": _TOKEN_HINT,
    "account_inactive": _TOKEN_HINT,
    "token_revoked": _TOKEN_HINT,
    "token_expired": _TOKEN_HINT,
    "not_allowed_token_type": _TOKEN_HINT,
    "access_denied": _TOKEN_HINT,
    "no_permission": _TOKEN_HINT,
    "missing_scope": "give the app the scope that is missing, and install it again",
    "not_in_channel": "invite the app into the channel: /invite @app",
    "channel_not_found": "name the channel's id; the app must be in a private one",
}
"""The errors that say no, and what to do. All others are Slack's own trouble."""


class SlackInbox:
    """See `opsconsole.clients.inbox.Inbox`. A channel given by its name is looked up once."""

    kind = "slack"

    def __init__(
        self, settings: config.Slack, record: Callable[[Exchange], None], timeout_seconds: float
    ) -> None:
        endpoint = Endpoint(settings.url, token=settings.token, timeout_seconds=timeout_seconds)
        self._http = Http("slack", endpoint, record)
        self.address = settings.channel
        self._channel = settings.channel if _ID.fullmatch(settings.channel) else ""
        self._newest = Newest(self._history, every_seconds=EVERY_SECONDS)

    async def check(self) -> str:
        we = await self._ask("auth.test", {}, _We)
        await self._ask("conversations.history", {"channel": await self._id(), "limit": 1}, _History)
        return f"Slack's {self.address} of {we.team}, read as {we.user}"

    async def find(self, text: str, *, since: float) -> list[Message]:
        return await self._newest.find(text, since)

    async def close(self) -> None:
        await self._http.close()

    async def _history(self, since: float) -> list[Told]:
        """The channel since then; replies in threads are not in it."""
        asked = {"channel": await self._id(), "oldest": f"{since:.6f}", "inclusive": "true", "limit": _A_PAGE}
        told, cursor = [], ""
        for _ in range(MOST_PAGES):
            page = await self._ask(
                "conversations.history", {**asked, **({"cursor": cursor} if cursor else {})}, _History
            )
            told += [_told(one, self.address) for one in page.messages]
            cursor = page.response_metadata.next_cursor if page.response_metadata else ""
            if not cursor:
                break
        return told

    async def _id(self) -> str:
        """The channel's id. Raises Refused where the app sees no channel of that name."""
        if self._channel:
            return self._channel
        name, cursor = self.address.removeprefix("#"), ""
        asked = {
            "types": "public_channel,private_channel", "exclude_archived": "true", "limit": _A_PAGE
        }  # fmt: skip
        for _ in range(MOST_PAGES):
            page = await self._ask(
                "conversations.list", {**asked, **({"cursor": cursor} if cursor else {})}, _Channels
            )
            for channel in page.channels:
                if channel.name == name:
                    self._channel = channel.id
                    return channel.id
            cursor = page.response_metadata.next_cursor if page.response_metadata else ""
            if not cursor:
                break
        raise Refused(
            f"shows the app no channel {self.address}", where=f"slack {self._http.base}",
            hint="name the channel's id (C…), or invite the app into it",
        )  # fmt: skip

    async def _ask(self, method: str, params: Mapping[str, Any], shape: type[_T]) -> _T:
        answer = await patient_get(self._http, f"/{method}", params)
        _refuse_errors(answer)
        return answer.json(shape)


class _Verdict(msgspec.Struct):
    ok: bool
    error: str = ""
    needed: str = ""


class _We(msgspec.Struct):
    team: str
    user: str


class _Paging(msgspec.Struct):
    next_cursor: str = ""


class _Field(msgspec.Struct):
    title: str = ""
    value: str = ""


class _Attachment(msgspec.Struct):
    title: str = ""
    pretext: str = ""
    text: str = ""
    fallback: str = ""
    fields: list[_Field] = []


class _Posted(msgspec.Struct):
    ts: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,12}\.[0-9]{1,9}$")]
    text: str = ""
    username: str = ""
    user: str = ""
    bot_id: str | None = None
    attachments: list[_Attachment] = []


class _History(msgspec.Struct):
    messages: list[_Posted]
    response_metadata: _Paging | None = None


class _Channel(msgspec.Struct):
    id: str
    name: str


class _Channels(msgspec.Struct):
    channels: list[_Channel]
    response_metadata: _Paging | None = None


def _refuse_errors(answer: Answer) -> None:
    verdict = answer.json(_Verdict)
    if verdict.ok:
        return
    said = excerpt(verdict.error, 80) or "no error's name"
    if verdict.error in _HINTS:
        needed = f" ({excerpt(verdict.needed, 80)})" if verdict.needed else ""
        raise Refused(f"answered {said}{needed}", where=answer.where, hint=_HINTS[verdict.error])
    raise Nonsense(f"answered {said}", where=answer.where)


def _told(one: _Posted, channel: str) -> Told:
    parts = [one.text]
    for attachment in one.attachments:
        parts += [attachment.pretext, attachment.title, attachment.text]
        parts += [f"{field.title}: {field.value}" for field in attachment.fields]
        parts += [] if attachment.title or attachment.text else [attachment.fallback]
    body = "\n".join(part for part in parts if part)
    titles = [attachment.title or attachment.fallback for attachment in one.attachments]
    message = Message(
        id=one.ts,
        channel="slack",
        to=[channel],
        sender=one.username or one.user or one.bot_id or "",
        subject=next(filter(None, titles), body.partition("\n")[0]),
        at=float(one.ts),
        body_excerpt=body[:EXCERPT],
        delivered=True,
    )
    return Told("\n".join([body, *(attachment.fallback for attachment in one.attachments)]), message)
