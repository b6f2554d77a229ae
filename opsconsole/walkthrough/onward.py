"""Where an alert goes from Prometheus, and what is in its way there just now."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from opsconsole.clients.delivery import InForce, connection, in_force, sent_by
from opsconsole.clients.inbox import Inbox
from opsconsole.clients.prometheus import Rule
from opsconsole.clients.receivers import Target
from opsconsole.clients.relabelling import Outgoing
from opsconsole.clients.routing import Route
from opsconsole.errors import Unseen
from opsconsole.model import Finding, Hop, Obstacle
from opsconsole.walkthrough.obstacles import in_the_way, unseen, wrong
from opsconsole.walkthrough.sight import Sight

_SEEN_BY_PROMETHEUS = "alertmanager_seen_by_prometheus"
"""The setting of the check `routes_reach_people`: Alertmanager's URL in Prometheus' eyes."""


@dataclass(frozen=True)
class Onward:
    """`labels` are the label sets that Alertmanager would get, `targets` whom they reach by these `routes`,
    `now` what is in force there (None where that cannot be seen), `obstacles` what is in the way."""

    labels: Sequence[dict[str, str]] = ()
    routes: Sequence[Route] = ()
    targets: Sequence[Target] = ()
    now: InForce | None = None
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def group_wait_seconds(self) -> float:
        """The longest of its routes."""
        return max((route.group_wait_seconds for route in self.routes), default=0.0)

    @property
    def group_interval_seconds(self) -> float:
        """The longest of its routes."""
        return max((route.group_interval_seconds for route in self.routes), default=0.0)

    def soon(self, within_seconds: float) -> list[Obstacle]:
        """What is planned to hold it back at Alertmanager within this time."""
        if self.now is None:
            return []
        within = timedelta(seconds=within_seconds)
        told = (said for labels in self.labels for said in self.now.to_come(labels, within=within))
        return [wrong(Hop.RECEIVER, said) for said in told if isinstance(said, Finding)]

    def mutes(self, other: "Onward") -> bool:
        """Whether Alertmanager mutes the other alert while this one fires."""
        return self.now is not None and any(
            self.now.config.inhibited(labels, self.labels) for labels in other.labels
        )


async def onward(sight: Sight, rules: Sequence[Rule]) -> dict[str, Onward]:
    """The ways of these rules' alerts, by name, as the servers and the mailboxes are now; what of that cannot
    be seen is an obstacle."""
    ways, connected = await asyncio.gather(_ways(sight, rules), _connected(sight))
    kinds = {target.kind for way in ways.values() for target in way.targets}
    unread = await _unread(sight, kinds)
    return {
        alert: replace(way, obstacles=in_the_way([*way.obstacles, *connected, *_boxes(way, unread)]))
        for alert, way in ways.items()
    }


async def _ways(sight: Sight, rules: Sequence[Rule]) -> dict[str, Onward]:
    try:
        now, outgoing = await asyncio.gather(in_force(sight.alertmanager), sight.prometheus.outgoing())
    except Unseen as error:
        blind = unseen(Hop.ALERTMANAGER, "where it goes cannot be seen", error)
        return {rule.name: Onward(obstacles=(blind,)) for rule in rules}
    ways = await asyncio.gather(*(_way(sight, rule, outgoing, now) for rule in rules))
    return {rule.name: way for rule, way in zip(rules, ways, strict=True)}


async def _way(sight: Sight, rule: Rule, outgoing: Outgoing, now: InForce) -> Onward:
    try:
        sent = await sent_by(sight.prometheus, rule, outgoing)
        labels = [one for one in sent if one is not None]
        held = (obstacle for one in labels for obstacle in _held(one, now))
        return Onward(
            labels=labels,
            routes=list(dict.fromkeys(route for one in labels for route in now.config.routes(one))),
            targets=list(dict.fromkeys(target for one in labels for target in now.config.recipients(one))),
            now=now,
            obstacles=(*_dropped(len(sent) - len(labels)), *held),
        )
    except Unseen as error:
        told = unseen(Hop.ALERTMANAGER, "where it goes cannot be told", error)
        return Onward(now=now, obstacles=() if rule.health == "err" else (told,))


def _dropped(dropped: int) -> Iterator[Obstacle]:
    if dropped:
        finding = Finding(
            summary="is dropped by alert_relabel_configs before it leaves Prometheus",
            remedy="look at alerting.alert_relabel_configs in prometheus.yml",
        )
        yield wrong(Hop.ALERTMANAGER, finding)


def _held(labels: dict[str, str], now: InForce) -> Iterator[Obstacle]:
    """Nobody at the end of its routes, or something that holds it back there."""
    if not now.config.recipients(labels):
        receivers = ", ".join(dict.fromkeys(route.receiver for route in now.config.routes(labels)))
        finding = Finding(
            summary=f"is routed to nobody: {receivers} notifies no one",
            remedy="give the receiver a target, or the alert the labels that its route asks for",
        )
        yield wrong(Hop.RECEIVER, finding)
    for finding in now.held_back(labels):
        yield wrong(Hop.RECEIVER, finding)


async def _connected(sight: Sight) -> list[Obstacle]:
    theirs = str(sight.environment.settings.get(_SEEN_BY_PROMETHEUS, ""))
    try:
        found = await connection(sight.prometheus, sight.alertmanager.url, theirs)
    except Unseen:  # whether the two are one server shows when the alert is there
        return []
    return [wrong(Hop.ALERTMANAGER, finding) for finding in found.findings]


async def _unread(sight: Sight, kinds: Iterable[str]) -> dict[str, Obstacle]:
    """By a receiver's kind, what keeps its messages from being looked at; each mailbox is asked once."""
    boxes = {kind: sight.inboxes[kind] for kind in sorted(kinds) if kind in sight.inboxes}
    distinct = list({id(box): box for box in boxes.values()}.values())
    found = dict(zip(map(id, distinct), await asyncio.gather(*map(_checked, distinct)), strict=True))
    return {kind: obstacle for kind, box in boxes.items() if (obstacle := found[id(box)])}


async def _checked(box: Inbox) -> Obstacle | None:
    try:
        await box.check()
    except Unseen as error:
        return unseen(Hop.DELIVERED, f"the {box.kind} inbox cannot be read", error)
    return None


def _boxes(way: Onward, unread: dict[str, Obstacle]) -> list[Obstacle]:
    return [unread[kind] for kind in dict.fromkeys(target.kind for target in way.targets) if kind in unread]
