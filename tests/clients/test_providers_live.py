"""What a real Alertmanager sends to mail, Slack and PagerDuty, looked for where each of them tells it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from opsconsole import config
from opsconsole.clients.inbox import CHANNELS, Message, is_resolved, make_all, pagerduty, slack
from opsconsole.lab.servers import Servers
from opsconsole.lab.stack import LabState
from opsconsole.secrets import MadeUp
from tests.clients.test_routing_live import Running, alertmanager
from tests.standins.pagerduty import TOKEN as PAGERDUTY_TOKEN
from tests.standins.pagerduty import Account, pagerduty_server
from tests.standins.slack import TOKEN as SLACK_TOKEN
from tests.standins.slack import Workspace, slack_server

pytestmark = pytest.mark.servers

WITHIN_SECONDS = 120.0
RUN = "20261122-1200-live"


def alert(severity: str, ends_in_seconds: float) -> dict[str, Any]:
    now = datetime.now(UTC).timestamp()
    labels = {"alertname": "Drill", "severity": severity, "component": "billing", "opsconsole_run": RUN}
    return {
        "labels": labels,
        "annotations": {"summary": "DRILL: an alert that nothing has resolved"},
        "startsAt": datetime.fromtimestamp(now - 5, UTC).isoformat(),
        "endsAt": datetime.fromtimestamp(now + ends_in_seconds, UTC).isoformat(),
    }


async def until(condition: Callable[[], Awaitable[list[Message]]]) -> list[Message]:
    async with asyncio.timeout(WITHIN_SECONDS):
        found = await condition()
        while not found:
            await asyncio.sleep(0.05)
            found = await condition()
        return found


async def test_the_labs_inbox_is_all_three_and_tells_the_end_from_the_beginning(lab: LabState) -> None:
    environment = config.Environment(name="lab", inbox=config.Inbox(kind="lab", url=lab.inbox_url))
    inboxes = make_all(environment, lambda _: None)
    assert tuple(inboxes) == CHANNELS
    began, posted = time.time(), Running(lab.alertmanager_url)
    severities = ("critical", "warning", "info")
    inbox = inboxes["slack"]

    async def told(*, resolved: bool) -> list[Message]:
        found = await inbox.find(RUN, since=began - 1)
        right = [message for message in found if is_resolved(message) is resolved]
        return right if [m.channel for m in right].count("email") == 5 and len(right) == 7 else []

    posted.post("alerts", [alert(severity, 300) for severity in severities])
    firing = await until(lambda: told(resolved=False))
    assert {message.channel for message in firing} == set(CHANNELS)
    posted.post("alerts", [alert(severity, -1) for severity in severities])
    await until(lambda: told(resolved=True))
    assert await told(resolved=False) == firing
    await inbox.close()


async def test_alertmanagers_own_templates_through_the_providers(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(pagerduty, "EVERY_SECONDS", 0.0)
    async with AsyncExitStack() as stack:
        workspace = await stack.enter_async_context(slack_server(Workspace()))
        account = await stack.enter_async_context(pagerduty_server(Account()))
        hook = workspace.url.replace("/api", "/services/T0/B0/hook")
        receiver = {
            "name": "all",
            "slack_configs": [{"api_url": hook, "channel": "#billing-alerts", "send_resolved": True}],
            "pagerduty_configs": [{"routing_key": "r" * 32, "url": account.events_url}],
        }
        route = {"receiver": "all", "group_wait": "0s", "group_interval": "1s", "group_by": ["alertname"]}
        started = alertmanager(servers, {"route": route, "receivers": [receiver]}, tmp_path)
        running = await asyncio.to_thread(started.__enter__)
        stack.callback(started.__exit__, None, None, None)
        environment = config.Environment(
            name="e",
            slack=config.Slack(
                token=MadeUp("env:S", SLACK_TOKEN), channel="#billing-alerts", url=workspace.url
            ),
            pagerduty=config.PagerDuty(token=MadeUp("env:P", PAGERDUTY_TOKEN), url=account.url),
        )
        inboxes = make_all(environment, lambda _: None)
        for inbox in inboxes.values():
            stack.push_async_callback(inbox.close)
        assert tuple(inboxes) == ("slack", "pagerduty")
        began = time.time()

        async def told(kind: str, *, resolved: bool) -> list[Message]:
            found = await inboxes[kind].find(RUN, since=began)
            return [message for message in found if is_resolved(message) is resolved]

        running.post("alerts", [alert("critical", 300)])
        for kind in inboxes:
            (message,) = await until(partial(told, kind, resolved=False))
            assert "[FIRING:1] Drill" in message.subject
            assert await told(kind, resolved=True) == []
        running.post("alerts", [alert("critical", -1)])
        for kind in inboxes:
            (message,) = await until(partial(told, kind, resolved=True))
            assert message.channel == kind
            assert len(await told(kind, resolved=False)) == 1


@pytest.mark.parametrize(
    ("channel", "subject", "body", "over"),
    [
        ("email", "[RESOLVED] RuleFiringTooOften", "", True),
        ("email", "[FIRING:2] TicketsResolvedLate", "resolved", False),
        ("email", "Alert: Drill is Resolved", "", True),
        ("email", "Drill", "RESOLVED: a summary", True),
        ("email", "Drill", "FIRING: not resolved", False),
        ("email", "Drill unresolved", "misfiring", False),
        ("slack", "[RESOLVED] Drill", "", True),
        ("pagerduty", "trigger: [FIRING:1] Drill", "", False),
        ("pagerduty", "resolve: [FIRING:1] Drill", "", True),
    ],
)
def test_the_end_of_an_alert_by_its_words(channel: str, subject: str, body: str, over: bool) -> None:
    message = Message(
        id="1", channel=channel, to=[], sender="", subject=subject, at=0.0, body_excerpt=body, delivered=True
    )
    assert is_resolved(message) is over
