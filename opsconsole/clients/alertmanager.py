"""Alertmanager: its running configuration, the alerts and silences it holds, what it sent (API v2).

Times are unix seconds. Every method raises `opsconsole.errors.Unseen` where the server cannot be seen
or answers something that is not the answer.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from opsconsole.clients import wire
from opsconsole.clients.http import Answer, Http
from opsconsole.errors import Nonsense
from opsconsole.model import Finding

if TYPE_CHECKING:
    from opsconsole.clients.routing import AlertmanagerConfig

_CLOCKS_AGREE_SECONDS = 60.0
_REQUESTS = "alertmanager_notification_requests_total"
_REQUESTS_FAILED = "alertmanager_notification_requests_failed_total"
_RELOAD = "alertmanager_config_last_reload_success"
_COUNTED = ("alertmanager_notifications_", "alertmanager_notification_requests_")


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """`config_text` is the running configuration, YAML, secrets masked; `cluster_status` is ready,
    settling or disabled, `peers` the number of members, `started_at` when the server started."""

    version: str
    config_text: str
    cluster_status: str
    peers: int
    started_at: float


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that is not resolved. Alertmanagers before 0.28 do not tell `muted_by`."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: float
    ends_at: float
    state: Literal["active", "suppressed", "unprocessed"]
    receivers: list[str]
    silenced_by: list[str]
    inhibited_by: list[str]
    muted_by: list[str]
    fingerprint: str


class Reload(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the last configuration that the server was given was `accepted`, and since when that runs which
    does, 0 where it is not told."""

    accepted: bool
    running_since: float

    @property
    def refusal(self) -> Finding | None:
        """What is wrong where it was not accepted."""
        if self.accepted:
            return None
        since = f"it runs since {datetime.fromtimestamp(self.running_since, UTC):%F %H:%M:%S} UTC; "
        return Finding(
            summary="the last reload of alertmanager.yml was refused: the configuration before it still runs",
            detail=f"{since if self.running_since else ''}the next start will fail",
            remedy="amtool check-config alertmanager.yml, correct it, reload",
        )


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """How often an integration (email, slack, ...) was asked to notify since Alertmanager started, and
    how often it failed, by reason where the version tells. `receiver` is empty unless the server has the
    feature `receiver-name-in-metrics`. A failed one counts in `sent` too, and one that is still being
    tried in `sent` alone: `requests` counts the tries that have ended, `requests_failed` those in vain."""

    integration: str
    receiver: str
    sent: float
    failed: float
    reasons: dict[str, float]
    requests: float = 0.0
    requests_failed: float = 0.0


class Alertmanager:
    """One Alertmanager server. `seen` is told its name, version and URL when the version is learnt."""

    def __init__(self, http: Http, seen: Callable[[str, str, str], None]) -> None:
        self._http = http
        self._seen = seen
        self._config: tuple[str, AlertmanagerConfig] | None = None
        self.url = http.base

    async def status(self) -> Status:
        """The server's version, running configuration and cluster."""
        told = (await self._http.get("/api/v2/status")).json(_Status)
        self._seen(self._http.server, told.versionInfo.version, self.url)
        return Status(
            version=told.versionInfo.version,
            config_text=told.config.original,
            cluster_status=told.cluster.status,
            peers=len(told.cluster.peers or ()),
            started_at=wire.unix(told.uptime),
        )

    async def now(self) -> datetime:
        """The time, for what is in force by it: ours, where the server's Date agrees with it or is not sent.

        Raises Nonsense where they are more than a minute apart.
        """
        offset = (await self._http.get("/api/v2/status")).clock_offset_seconds or 0.0
        if abs(offset) > _CLOCKS_AGREE_SECONDS:
            raise Nonsense(
                f"its clock is {abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} ours, "
                "so what is in force now cannot be told",
                where=f"{self._http.server} {self.url}",
                hint="set the clocks right, and ask it without a cache between",
            )
        return datetime.now(UTC)

    async def config(self) -> "AlertmanagerConfig":
        """The running configuration, ready to be asked where an alert goes."""
        from opsconsole.clients.routing import AlertmanagerConfig

        text = (await self.status()).config_text
        if self._config is None or self._config[0] != text:
            self._config = text, AlertmanagerConfig.parse(text)
        return self._config[1]

    async def alerts(self, *filters: str) -> list[Alert]:
        """The alerts that are not resolved, suppressed ones included; each filter is a matcher such as
        `severity="critical"`, and all must match."""
        answer = await self._http.get("/api/v2/alerts", {"filter": filters} if filters else None)
        return [_alert(alert) for alert in answer.json(list[_Alert])]

    async def silences(self) -> list[dict[str, Any]]:
        """The silences as API v2 gives them, expired ones included."""
        answer = await self._http.get("/api/v2/silences")
        answer.json(list[_Silence])
        return answer.json(list[dict[str, Any]])

    async def reloaded(self) -> Reload:
        """How its last reload went, by its own metrics."""
        from opsconsole.clients.exposition import samples

        answer = await self._http.get("/metrics")
        lines = [line for line in answer.text.splitlines() if line.startswith(_RELOAD)]
        told = {name: value for name, _, value in samples("\n".join(lines), answer.where)}
        if f"{_RELOAD}ful" not in told:
            raise Nonsense("its metrics do not tell of its reloads", where=answer.where)
        at = told.get(f"{_RELOAD}_timestamp_seconds", 0.0)
        return Reload(accepted=told[f"{_RELOAD}ful"] == 1, running_since=at)

    async def notifications(self) -> list[Notification]:
        """What its own metrics count, an entry for each integration (and receiver, where told)."""
        answer = await self._http.get("/metrics")
        wanted = [line for line in answer.text.splitlines() if line.startswith(_COUNTED)]
        if not wanted:
            raise Nonsense("its metrics count no notifications", where=answer.where)
        return _notifications(wanted, answer)


def _alert(told: "_Alert") -> Alert:
    return Alert(
        labels=told.labels,
        annotations=told.annotations,
        starts_at=wire.unix(told.startsAt),
        ends_at=wire.unix(told.endsAt),
        state=told.status.state,
        receivers=[receiver.name for receiver in told.receivers],
        silenced_by=told.status.silencedBy,
        inhibited_by=told.status.inhibitedBy,
        muted_by=told.status.mutedBy,
        fingerprint=told.fingerprint,
    )


def _notifications(lines: list[str], answer: Answer) -> list[Notification]:
    from opsconsole.clients.exposition import samples

    sent: dict[tuple[str, str], float] = {}
    reasons: dict[tuple[str, str], dict[str, float]] = {}
    requests: dict[tuple[str, tuple[str, str]], float] = {}
    for name, labels, value in samples("\n".join(lines), answer.where):
        key = labels.get("integration", ""), labels.get("receiver_name", "")
        if name == "alertmanager_notifications_total":
            sent[key] = sent.get(key, 0.0) + value
        elif name == "alertmanager_notifications_failed_total":
            counts = reasons.setdefault(key, {})
            reason = labels.get("reason", "")
            counts[reason] = counts.get(reason, 0.0) + value
        else:
            requests[name, key] = requests.get((name, key), 0.0) + value
    return [
        Notification(
            integration=integration,
            receiver=receiver,
            sent=count,
            failed=sum(reasons.get((integration, receiver), {}).values()),
            reasons={
                reason: n for reason, n in reasons.get((integration, receiver), {}).items() if reason and n
            },
            requests=requests.get((_REQUESTS, (integration, receiver)), 0.0),
            requests_failed=requests.get((_REQUESTS_FAILED, (integration, receiver)), 0.0),
        )
        for (integration, receiver), count in sent.items()
    ]


class _Version(msgspec.Struct):
    version: str


class _Config(msgspec.Struct):
    original: str


class _Cluster(msgspec.Struct):
    status: str
    peers: list[Any] | None = None


class _Status(msgspec.Struct):
    versionInfo: _Version
    config: _Config
    cluster: _Cluster
    uptime: wire.Moment


class _AlertStatus(msgspec.Struct):
    state: Literal["active", "suppressed", "unprocessed"]
    silencedBy: list[str]
    inhibitedBy: list[str]
    mutedBy: list[str] = []


class _Receiver(msgspec.Struct):
    name: str


class _Alert(msgspec.Struct):
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: wire.Moment
    endsAt: wire.Moment
    status: _AlertStatus
    receivers: list[_Receiver]
    fingerprint: str


class _Matcher(msgspec.Struct):
    name: str
    value: str
    isRegex: bool
    isEqual: bool = True


class _SilenceStatus(msgspec.Struct):
    state: Literal["active", "pending", "expired"]


class _Silence(msgspec.Struct):
    id: str
    matchers: list[_Matcher]
    startsAt: wire.Moment
    endsAt: wire.Moment
    status: _SilenceStatus
    createdBy: str = ""
    comment: str = ""
