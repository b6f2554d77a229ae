"""The way that a test alert will take, before it is sent: routes, people, times, and what lies in the way."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from opsconsole.checkkit import lasting
from opsconsole.clients.delivery import InForce, in_force
from opsconsole.clients.effects import MARK
from opsconsole.clients.receivers import Target
from opsconsole.clients.routing import Route
from opsconsole.config import Server
from opsconsole.errors import Unseen
from opsconsole.model import AlertPlan, Exchange, Hop, Obstacle, Outcome
from opsconsole.reports.curl import curl_line
from opsconsole.walkthrough.sight import Sight

_NEEDS_NO_QUOTES = re.compile(r"[\w.:/@-]+", re.ASCII)
_PATH = "/api/v2/alerts"


@dataclass(frozen=True)
class TestAlert:
    """A test alert as somebody wants it, without the mark that it is sent with."""

    __test__ = False

    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.labels["alertname"]


@dataclass(frozen=True)
class Way:
    """Where a test alert goes: `routes` and `targets` in Alertmanager's order, `obstacles` why it would not
    arrive."""

    routes: tuple[Route, ...]
    targets: tuple[Target, ...]
    recipients: Mapping[str, tuple[Target, ...]]
    obstacles: tuple[Obstacle, ...]

    @property
    def group_wait_seconds(self) -> float:
        return max(route.group_wait_seconds for route in self.routes)

    def lines(self) -> list[str]:
        """A line a route: the receiver, whom it reaches, when, and how the route is found."""
        return [
            f"{route.receiver} ({', '.join(map(str, self.recipients[route.receiver])) or 'nobody'}): "
            f"first after {lasting(route.group_wait_seconds)}, "
            f"news every {lasting(route.group_interval_seconds)}, "
            f"again every {lasting(route.repeat_interval_seconds)}; {route}"
            for route in self.routes
        ]

    def plan(self, alert: TestAlert, run: str, url: str) -> AlertPlan:
        return AlertPlan(
            alert=alert.name,
            labels={**alert.labels, MARK: run},
            sends=f"one alert, marked {MARK}={run}: POST {url}{_PATH}",
            notified_seconds=self.group_wait_seconds,
            recipients=tuple(map(str, self.targets)),
            obstacles=self.obstacles,
        )


async def foreseen(sight: Sight, alert: TestAlert, run: str) -> Way:
    """The way that it will take when it is sent for this run. Raises Unseen where Alertmanager cannot be
    asked."""
    now = await in_force(sight.alertmanager)
    marked = {**alert.labels, MARK: run}
    routes = tuple(now.config.routes(marked))
    recipients = {route.receiver: now.config.recipients(route.receiver) for route in routes}
    targets = tuple(dict.fromkeys(target for reached in recipients.values() for target in reached))
    obstacles = [*_held_back(now, alert.labels, marked, targets), *await _blind(sight, targets)]
    return Way(routes, targets, recipients, tuple(obstacles))


def _held_back(
    now: InForce, real: Mapping[str, str], marked: Mapping[str, str], targets: tuple[Target, ...]
) -> list[Obstacle]:
    reasons = [f"it {held.summary}" for held in now.held_back(marked)]
    ways = [[route.receiver for route in now.config.routes(labels)] for labels in (real, marked)]
    if ways[0] != ways[1]:
        reasons.append(
            f"it would go to {', '.join(ways[1])}, and one without the mark to {', '.join(ways[0])}: "
            "that would prove nothing"
        )
    if not targets:
        reasons.append(f"its route ends at {', '.join(ways[1])}, which notifies nobody")
    return [Obstacle(hop=Hop.RECEIVER, outcome=Outcome.FAIL, summary=reason) for reason in reasons]


async def _blind(sight: Sight, targets: tuple[Target, ...]) -> list[Obstacle]:
    found = []
    inboxes = {id(inbox): inbox for t in targets if (inbox := sight.inboxes.get(t.kind)) is not None}
    for inbox in inboxes.values():
        try:
            await inbox.check()
        except Unseen as error:
            found.append(
                Obstacle(
                    hop=Hop.DELIVERED,
                    outcome=Outcome.UNKNOWN,
                    summary=f"the mailbox cannot be read: {error.message}",
                    remedy=error.hint,
                )
            )
    return found


def curl_form(alert: TestAlert, server: Server) -> str:
    """The guide's curl line for the same alert, of API v2; a secret stands in it by its name alone."""
    credentials = {}
    if server.token is not None:
        credentials = {"authorization": f"Bearer {{{{{server.token.reference}}}}}"}
    elif server.password is not None:
        credentials = {"authorization": f"Basic {{{{{server.password.reference}}}}}"}
    body = json.dumps([{"labels": dict(alert.labels), "annotations": dict(alert.annotations)}])
    return curl_line(
        Exchange(
            id="",
            server="alertmanager",
            method="POST",
            url=f"{server.url.rstrip('/')}{_PATH}",
            request_headers={**credentials, "content-type": "application/json"},
            request_body=body,
        )
    )


def amtool_form(alert: TestAlert, server: Server) -> str:
    """The guide's amtool line for the same alert; its credentials are a file's, see `--http.config.file`."""
    words = ["amtool", "alert", "add", _matcher("alertname", alert.name)]
    words += [_matcher(name, value) for name, value in alert.labels.items() if name != "alertname"]
    words += [f"--annotation={_matcher(name, value)}" for name, value in alert.annotations.items()]
    words.append(f"--alertmanager.url={server.url.rstrip('/')}")
    return shlex.join(words)


def _matcher(name: str, value: str) -> str:
    return f"{name}={value if _NEEDS_NO_QUOTES.fullmatch(value) else json.dumps(value, ensure_ascii=False)}"
