"""Notifications that leave, that fail, and counters that cannot be seen."""

from urllib.request import urlopen

from opsconsole.config import Environment
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.breaking import alertmanager_config, eventually, firing, replaced
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import blinded, every_reason, saying
from tests.standins.raw import http, raw_server

CHECK = "notifications_are_sent"


async def test_passes(here: Environment, verify: Verify) -> None:
    async with raw_server(http(b'alertmanager_notifications_total{integration="email"} 3\n')) as url:
        view = await verify(changed(here, alertmanager_url=url), check=CHECK)
    assert view.outcome is Outcome.PASS
    assert [(seen.subject, seen.text) for seen in view.seen] == [("email", "3 sent, none failed")]


async def test_failing_tries_are_told_before_it_gives_up(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    down = replaced(f"smtp_smarthost: {lab.smtp_address}", "smtp_smarthost: 127.0.0.1:1")
    labels = {"component": "billing", "severity": "info", "opsconsole_run": "drill"}
    with alertmanager_config(lab, down), firing(lab, alertname="Lost", **labels):
        failed = "alertmanager_notification_requests_failed_total"
        eventually(lambda: counted(lab, f'{failed}{{integration="email"'), "a try fails")
        view = await verify(here, check=CHECK)
    assert view.outcome is Outcome.FAIL
    assert view.text.startswith("email: ")
    assert view.findings[0].remedy == "Alertmanager's log says why: look for email"


def counted(lab: LabState, start: str) -> bool:
    with urlopen(f"{lab.alertmanager_url}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    return any(line.startswith(start) and not line.endswith(" 0") for line in lines)


@every_reason
async def test_unknown_when_not_to_be_seen(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "alertmanager_url", reason) as blind:
        view = await verify(blind, check=CHECK)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text or "its metrics count no notifications" in view.text
