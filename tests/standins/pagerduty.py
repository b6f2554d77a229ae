"""A stand-in for PagerDuty: its Events API v2, and the incidents of its REST API v2.

Strict where PagerDuty is: the authorization and the version in headers, its own parameters, times in whole
seconds.
"""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

TOKEN = "u+stand-in-token"
_LARGEST_PAGE = 100
_PARAMETERS = {
    "date_range", "include[]", "incident_key", "limit", "offset", "service_ids[]", "since", "sort_by",
    "statuses[]", "time_zone", "total", "until", "urgencies[]",
}  # fmt: skip


@dataclass
class Account:
    """What the stand-in serves: incidents, oldest first. `busy` counts the answers of 429 that come first."""

    incidents: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    busy: int = 0
    url: str = ""
    events_url: str = ""

    def trigger(self, at: float, title: str, key: str = "key", details: Any = None) -> dict[str, Any]:
        """Open an incident, as an event does."""
        channel = {"type": "api", "summary": title, "details": details or {}}
        number = len(self.incidents) + 1
        incident = {
            "id": f"Q{number:07}", "type": "incident", "incident_number": number, "title": title,
            "summary": f"[#{number}] {title}", "created_at": _iso(at), "status": "triggered",
            "incident_key": key, "service": {"type": "service_reference", "summary": "Billing"},
            "last_status_change_at": _iso(at), "resolved_at": None, "urgency": "high",
            "first_trigger_log_entry": {"id": "R1", "type": "trigger_log_entry", "channel": channel},
        }  # fmt: skip
        self.incidents.append(incident)
        return incident

    def resolve(self, at: float, key: str = "key") -> None:
        for incident in self.incidents:
            if incident["incident_key"] == key and incident["status"] != "resolved":
                incident |= {"status": "resolved", "resolved_at": _iso(at), "last_status_change_at": _iso(at)}


@asynccontextmanager
async def pagerduty_server(account: Account) -> AsyncIterator[Account]:
    """Serve it on loopback; `account.url` is that of the REST API, `account.events_url` takes events."""
    server = _Handlers(account)
    application = web.Application()
    application.router.add_post("/v2/enqueue", server.enqueue)
    application.router.add_get("/incidents", server.incidents)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        account.url, account.events_url = f"http://{host}:{port}", f"http://{host}:{port}/v2/enqueue"
        yield account
    finally:
        await runner.cleanup()


class _Handlers:
    def __init__(self, account: Account) -> None:
        self._account = account

    async def enqueue(self, request: web.Request) -> web.Response:
        """An event opens an incident, or resolves the one of its key."""
        event = json.loads(await request.read())
        key, payload = event["dedup_key"], event.get("payload") or {}
        open_ones = [
            i for i in self._account.incidents if i["incident_key"] == key and i["status"] != "resolved"
        ]
        if event["event_action"] == "resolve":
            self._account.resolve(time.time(), key)
        elif not open_ones:
            self._account.trigger(time.time(), payload["summary"], key, payload.get("custom_details"))
        return web.json_response(
            {"status": "success", "message": "Event processed", "dedup_key": key}, status=202
        )

    async def incidents(self, request: web.Request) -> web.Response:
        account, query = self._account, request.query
        account.asked.append({name: query.getall(name) for name in query})
        if account.busy:
            account.busy -= 1
            return _error(429, 2020, "Too Many Requests", {"ratelimit-reset": "0"})
        if request.headers.get("authorization") != f"Token token={TOKEN}":
            return _error(401, 2006, "Invalid API token")
        if request.headers.get("accept") != "application/vnd.pagerduty+json;version=2":
            return _error(400, 2001, "Invalid Version")
        if unknown := set(query) - _PARAMETERS:
            return _error(400, 2001, f"Invalid Input Provided: {sorted(unknown)}")
        return web.json_response(self._page(request))

    def _page(self, request: web.Request) -> dict[str, Any]:
        query = request.query
        since = (
            datetime.fromisoformat(query["since"].replace("Z", "+00:00")).timestamp()
            if "since" in query
            else 0
        )
        limit, offset = min(int(query.get("limit", 25)), _LARGEST_PAGE), int(query.get("offset", 0))
        statuses = query.getall("statuses[]", ["triggered", "acknowledged", "resolved"])
        rows = [
            self._shown(incident, query.getall("include[]", []))
            for incident in self._account.incidents
            if incident["status"] in statuses and _unix(incident["created_at"]) >= since
        ]
        if query.get("sort_by") == "created_at:desc":
            rows.reverse()
        page = rows[offset : offset + limit]
        more = offset + limit < len(rows)
        return {"incidents": page, "limit": limit, "offset": offset, "total": None, "more": more}

    def _shown(self, incident: dict[str, Any], include: list[str]) -> dict[str, Any]:
        """Without the first log entry's own text, unless it is asked for."""
        if "first_trigger_log_entries" in include:
            return incident
        reference = {
            "id": "R1",
            "type": "trigger_log_entry_reference",
            "summary": "Triggered through the API.",
        }
        return {**incident, "first_trigger_log_entry": reference}


def _error(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _unix(moment: str) -> float:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()
