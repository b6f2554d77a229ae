"""PagerDuty, asked for incidents through its REST API (v2).

An incident is two messages here: that it was triggered, and, once it is resolved, that it was.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from opsconsole import config
from opsconsole.clients import wire
from opsconsole.clients.http import Endpoint, Http
from opsconsole.clients.inbox import EXCERPT, Message
from opsconsole.clients.inbox.pace import MOST_PAGES, Newest, Told, patient_get
from opsconsole.model import Exchange
from opsconsole.secrets import Secret

EVERY_SECONDS = 1.0

_A_PAGE = 100
_ACCEPT = {"accept": "application/vnd.pagerduty+json;version=2"}
_STATUSES = ("triggered", "acknowledged", "resolved")


class PagerDutyInbox:
    """See `opsconsole.clients.inbox.Inbox`. An alert that PagerDuty merged into another's incident is not
    found: only the alert that opened an incident is told with it."""

    kind = "pagerduty"
    address = ""

    def __init__(
        self, settings: config.PagerDuty, record: Callable[[Exchange], None], timeout_seconds: float
    ) -> None:
        token = _Authorization(settings.token.reference, settings.token)
        endpoint = Endpoint(settings.url, headers={"authorization": token}, timeout_seconds=timeout_seconds)
        self._http = Http("pagerduty", endpoint, record)
        self._newest = Newest(self._incidents, every_seconds=EVERY_SECONDS)

    async def check(self) -> str:
        await self._page({"limit": 1})
        return f"the incidents of PagerDuty at {self._http.base}"

    async def find(self, text: str, *, since: float) -> list[Message]:
        # PagerDuty tells times in whole seconds: what came in this very second has its beginning.
        return await self._newest.find(text, float(int(since)))

    async def close(self) -> None:
        await self._http.close()

    async def _incidents(self, since: float) -> list[Told]:
        asked = {
            "since": datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "statuses[]": _STATUSES,
            "include[]": "first_trigger_log_entries",
            "sort_by": "created_at:desc",
            "limit": _A_PAGE,
        }
        told: list[Told] = []
        for number in range(MOST_PAGES):
            page = await self._page({**asked, "offset": number * _A_PAGE})
            for incident in page.incidents:
                told += _told(incident)
            if not page.more:
                break
        return told

    async def _page(self, asked: dict[str, Any]) -> "_Incidents":
        return (await patient_get(self._http, "/incidents", asked, headers=_ACCEPT)).json(_Incidents)


@dataclass(frozen=True, slots=True)
class _Authorization(Secret):
    """The whole header; as evidence it shows the token's reference."""

    token: Secret

    def reveal(self) -> str:
        return f"Token token={self.token.reveal()}"


class _Named(msgspec.Struct):
    summary: str = ""


class _Trigger(msgspec.Struct):
    channel: dict[str, Any] = {}


class _Incident(msgspec.Struct):
    id: str
    title: str
    status: Literal["triggered", "acknowledged", "resolved"]
    created_at: wire.Moment
    resolved_at: wire.Moment | None = None
    last_status_change_at: wire.Moment | None = None
    incident_key: str | None = None
    service: _Named | None = None
    first_trigger_log_entry: _Trigger | None = None


class _Incidents(msgspec.Struct):
    incidents: list[_Incident]
    more: bool = False


def _told(incident: _Incident) -> list[Told]:
    entry = incident.first_trigger_log_entry
    details = msgspec.json.encode(entry.channel).decode() if entry and entry.channel else ""
    text = "\n".join([incident.title, incident.incident_key or "", details])
    moments = [("trigger", incident.created_at)]
    if incident.status == "resolved":
        ended = incident.resolved_at or incident.last_status_change_at or incident.created_at
        moments.append(("resolve", ended))
    return [
        Told(
            text,
            Message(
                id=f"{incident.id} {action}",
                channel="pagerduty",
                to=[incident.service.summary] if incident.service else [],
                sender="",
                subject=f"{action}: {incident.title}",
                at=wire.unix(moment),
                body_excerpt=details[:EXCERPT],
                delivered=True,
            ),
        )
        for action, moment in moments
    ]
