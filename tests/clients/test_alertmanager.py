"""The Alertmanager client against a real server."""

import json
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opsconsole.checkkit import until
from opsconsole.clients.alertmanager import Alertmanager, Notification
from opsconsole.lab.stack import LabState
from tests.clients.conftest import OpenDoor

pytestmark = pytest.mark.servers

WITHIN_SECONDS = 120.0


@pytest.fixture
def alertmanager(open_door: OpenDoor, lab: LabState) -> Alertmanager:
    return Alertmanager(open_door(lab.alertmanager_url, server="alertmanager"), lambda *_: None)


def post(lab: LabState, what: str, body: Any) -> None:
    request = urllib.request.Request(f"{lab.alertmanager_url}/api/v2/{what}", json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60):
        pass


def moment(seconds_from_now: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds_from_now)).isoformat()


async def test_status_has_version_and_running_configuration(open_door: OpenDoor, lab: LabState) -> None:
    seen: list[tuple[str, str, str]] = []
    client = Alertmanager(open_door(lab.alertmanager_url, server="alertmanager"), lambda *s: seen.append(s))
    status = await client.status()
    assert status.version.startswith(lab.alertmanager_version)  # Debian adds its own, such as +ds
    assert status.cluster_status == "disabled"
    assert "billing-oncall@rsolv.dev" in status.config_text
    assert lab.started_at - 1 < status.started_at < time.time()
    assert seen == [("alertmanager", status.version, lab.alertmanager_url)]


async def test_config_is_parsed_once_for_one_text(alertmanager: Alertmanager) -> None:
    config = await alertmanager.config()
    assert await alertmanager.config() is config
    assert any(
        target.address == "billing-oncall@rsolv.dev"
        for target in config.recipients({"alertname": "x", "component": "billing", "severity": "critical"})
    )


async def test_alerts_are_selected_and_their_silence_is_told(
    alertmanager: Alertmanager, lab: LabState
) -> None:
    labels = {"alertname": "ClientTest", "quoted": 'a "b" \\ c', "severity": "none"}
    post(lab, "alerts", [{"labels": labels, "annotations": {"summary": "s"}, "endsAt": moment(600)}])
    (alert,) = await alertmanager.alerts('alertname="ClientTest"')
    assert alert.labels == labels
    assert alert.annotations == {"summary": "s"}
    assert 500 < alert.ends_at - time.time() <= 600
    assert alert.receivers

    matchers = [{"name": "alertname", "value": "ClientTest", "isRegex": False}]
    silence = {
        "matchers": matchers,
        "startsAt": moment(0),
        "endsAt": moment(600),
        "createdBy": "t",
        "comment": "c",
    }
    post(lab, "silences", silence)
    (kept,) = [one for one in await alertmanager.silences() if one["comment"] == "c"]

    async def suppressed() -> bool:
        (alert,) = await alertmanager.alerts('alertname="ClientTest"')
        return alert.state == "suppressed" and alert.silenced_by == [kept["id"]]

    assert await until(suppressed, within_seconds=WITHIN_SECONDS, what="the silence")
    assert await alertmanager.alerts('alertname="ClientTest"', 'severity="other"') == []


async def test_notifications_count_what_was_sent(alertmanager: Alertmanager, lab: LabState) -> None:
    def emails(notifications: list[Notification]) -> float:
        return sum(one.sent for one in notifications if one.integration == "email")

    before = emails(await alertmanager.notifications())
    labels = {
        "alertname": "Notified",
        "severity": "info",
        "opsconsole_run": "client-test",
        "component": "billing",
    }
    post(lab, "alerts", [{"labels": labels, "endsAt": moment(600)}])

    async def counted() -> bool:
        return emails(await alertmanager.notifications()) > before

    assert await until(counted, within_seconds=WITHIN_SECONDS, what="the notification")
    assert all(one.failed == 0 for one in await alertmanager.notifications() if one.integration == "email")
