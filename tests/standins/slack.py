"""A stand-in for Slack: an incoming webhook, and the Web API's methods that read a channel.

Strict where Slack is: the token in the header, the methods' own arguments, errors as `"ok": false` in an
answer of status 200.
"""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "xoxb-stand-in-token"

_ARGUMENTS = {
    "auth.test": set(),
    "conversations.history": {"channel", "cursor", "inclusive", "latest", "limit", "oldest"},
    "conversations.list": {"cursor", "exclude_archived", "limit", "types"},
}  # fmt: skip


@dataclass
class Workspace:
    """What the stand-in serves. `channels` are ids by name; `outside` those that the app is not in; `error`
    is what every method answers with; `busy` the answers of 429 that come first; `page` bounds a page."""

    channels: dict[str, str] = field(
        default_factory=lambda: {"general": "C0GENERAL", "billing-alerts": "C0BILLING"}
    )
    outside: tuple[str, ...] = ()
    error: dict[str, str] = field(default_factory=dict)
    busy: int = 0
    page: int = 100
    messages: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def post(self, at: float, **message: Any) -> None:
        """Have a message in the channel, the newest first, as Slack tells them."""
        self.messages.insert(0, {"type": "message", "ts": f"{at:.6f}", **message})


@asynccontextmanager
async def slack_server(workspace: Workspace) -> AsyncIterator[Workspace]:
    """Serve it on loopback; `workspace.url` is that of the Web API."""
    server = _Handlers(workspace)
    application = web.Application()
    application.router.add_post("/services/T0/B0/hook", server.webhook)
    application.router.add_get("/api/{method}", server.method)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        workspace.url = f"http://{host}:{port}/api"
        yield workspace
    finally:
        await runner.cleanup()


class _Handlers:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def webhook(self, request: web.Request) -> web.Response:
        """What an incoming webhook takes becomes a bot's message in the channel."""
        note = json.loads(await request.read())
        attachments = [
            {**attachment, "id": number} for number, attachment in enumerate(note.get("attachments", []), 1)
        ]
        self._workspace.post(
            time.time(), subtype="bot_message", text=note.get("text", ""), username=note.get("username", ""),
            bot_id="B0", attachments=attachments,
        )  # fmt: skip
        return web.Response(text="ok")

    async def method(self, request: web.Request) -> web.Response:
        workspace, method = self._workspace, request.match_info["method"]
        workspace.asked.append((method, dict(request.query)))
        if method not in _ARGUMENTS:
            return web.json_response({"ok": False, "error": "unknown_method", "req_method": method})
        if workspace.busy:
            workspace.busy -= 1
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers={"retry-after": "0"}
            )
        return web.json_response(self._answer(method, request))

    def _answer(self, method: str, request: web.Request) -> dict[str, Any]:
        if "authorization" not in request.headers:
            return {"ok": False, "error": "not_authed"}
        if request.headers["authorization"] != f"Bearer {TOKEN}":
            return {"ok": False, "error": "invalid_auth"}
        if self._workspace.error:
            return {"ok": False, **self._workspace.error}
        if unknown := set(request.query) - _ARGUMENTS[method]:
            return {"ok": False, "error": "invalid_arguments", "unknown": sorted(unknown)}
        answers: dict[str, Callable[[Any], dict[str, Any]]] = {
            "auth.test": lambda _: {"ok": True, "team": "Rsolv", "user": "opsconsole", "bot_id": "B0"},
            "conversations.list": self._list,
            "conversations.history": self._history,
        }
        return answers[method](request.query)

    def _list(self, query: Any) -> dict[str, Any]:
        known = [{"id": id, "name": name} for name, id in self._workspace.channels.items()]
        page, paging = self._paged(known, query)
        return {"ok": True, "channels": page, **paging}

    def _history(self, query: Any) -> dict[str, Any]:
        workspace, channel = self._workspace, query.get("channel", "")
        if channel not in workspace.channels.values():
            return {"ok": False, "error": "channel_not_found"}
        if channel in workspace.outside:
            return {"ok": False, "error": "not_in_channel"}
        kept = [m for m in workspace.messages if float(m["ts"]) >= float(query.get("oldest", 0))]
        page, paging = self._paged(kept, query)
        return {"ok": True, "messages": page, "has_more": bool(paging), "pin_count": 0, **paging}

    def _paged(self, rows: list[Any], query: Any) -> tuple[list[Any], dict[str, Any]]:
        first = int(query.get("cursor", "0").removeprefix("next:"))
        most = min(int(query.get("limit", 100)), self._workspace.page)
        last = first + most
        more = {"response_metadata": {"next_cursor": f"next:{last}"}} if last < len(rows) else {}
        return rows[first:last], more
