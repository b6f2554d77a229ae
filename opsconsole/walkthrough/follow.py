"""A signal followed from hop to hop: from the rule that sees it to the mailbox, and back to rest.

Each function waits for one hop and records it, or raises Stopped with what it looked at to know why.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from opsconsole.checkkit import lasting
from opsconsole.clients.alertmanager import Alert
from opsconsole.clients.inbox import Message, is_resolved
from opsconsole.clients.prometheus import Rule
from opsconsole.clients.receivers import Target
from opsconsole.clients.routing import Route
from opsconsole.errors import Unseen
from opsconsole.model import Hop, Outcome
from opsconsole.walkthrough import why
from opsconsole.walkthrough.ours import assign, is_of
from opsconsole.walkthrough.sight import Sight
from opsconsole.walkthrough.tallies import Tally, tallies
from opsconsole.walkthrough.tracing import Stopped, Tracing
from opsconsole.walkthrough.undelivered import not_delivered, see_readable

_T = TypeVar("_T")

_DELIVERY_SECONDS = 60.0
_DELIVERY_SETTING = "delivery_seconds"
"""The checklist's setting for what a message may take to a person, beside its route's group_wait."""

_GRACE_SECONDS = 20.0
_CLOCKS_AGREE_SECONDS = 2.0


@dataclass(frozen=True)
class Way:
    """One alert's way: the labels that tell it in Alertmanager, the routes that it takes, whom they reach."""

    alert: str
    labels: Mapping[str, str]
    routes: tuple[Route, ...]
    targets: tuple[Target, ...]

    @property
    def group_wait_seconds(self) -> float:
        return max((route.group_wait_seconds for route in self.routes), default=0.0)

    @property
    def group_interval_seconds(self) -> float:
        return max((route.group_interval_seconds for route in self.routes), default=0.0)


@dataclass
class Follower:
    """Follows one alert. `every_seconds` is how often it looks; `mark` is the text by which its messages are
    found, `since` the moment before which they are not its own, `counted` what Alertmanager had notified
    before it, by integration; `fired` are the labels with which Alertmanager gets it."""

    sight: Sight
    tracing: Tracing
    alert: str
    mark: str
    every_seconds: float
    since: float = 0.0
    counted: Mapping[str, Tally] = field(default_factory=dict)
    way: Way | None = None
    unseen: list[Target] = field(default_factory=list)
    fired: Mapping[str, str] = field(default_factory=dict)

    async def begin(self) -> None:
        """Remember how things stand before the cause."""
        self.since = time.time() - _CLOCKS_AGREE_SECONDS
        self.counted = await tallies(self.sight)

    async def rule(self) -> Rule | None:
        """The rule as it is now; of several of that name the one that is most awake."""
        rules = [rule for rule in await self.sight.prometheus.rules() if rule.name == self.alert]
        return max(rules, key=lambda rule: len(rule.alerts), default=None)

    async def pending(self, within_seconds: float, expected_seconds: float | None = None) -> None:
        """The rule has seen it."""

        async def seen() -> Rule | None:
            rule = await self.rule()
            return rule if rule and rule.alerts else None

        rule = await self._until(seen, within_seconds, f"{self.alert} to be pending", expected_seconds)
        if rule is None:
            raise await why.not_pending(self.sight, self.alert)
        first = min(rule.alerts, key=lambda alert: alert.active_at)
        labels = ", ".join(f"{name}={value}" for name, value in sorted(first.labels.items()))
        self.tracing.reached(Hop.PENDING, f"pending with {first.value:.4g}: {labels}", first.active_at)

    async def firing(
        self, for_seconds: float, within_seconds: float, expected_seconds: float | None = None
    ) -> None:
        """It has held for as long as the rule asks."""

        async def fires() -> Rule | None:
            rule = await self.rule()
            return rule if rule and any(alert.state == "firing" for alert in rule.alerts) else None

        held = f" after its `for` of {lasting(for_seconds)}" if for_seconds else ""
        expected = for_seconds if expected_seconds is None else expected_seconds
        rule = await self._until(fires, within_seconds, f"{self.alert} to fire{held}", expected)
        if rule is None:
            raise await why.not_firing(self.sight, self.alert, for_seconds)
        first = next(alert for alert in rule.alerts if alert.state == "firing")
        self.fired = (await self.sight.prometheus.outgoing()).sent(first.labels) or {}
        cause = self.tracing.hops.get(Hop.CAUSE)
        fired_at = max(first.active_at + for_seconds, cause.reached_at if cause else 0.0)
        self.tracing.reached(Hop.FIRING, f"firing with {first.value:.4g}{held}", fired_at)

    async def held(self, filters: list[str], within_seconds: float = _GRACE_SECONDS) -> Way:
        """Alertmanager holds it, and will tell of it."""

        async def taken() -> Alert | None:
            alerts = await self.sight.alertmanager.alerts(*filters)
            ours = (alert for alert in alerts if self._is_ours(alert))
            return next((alert for alert in ours if alert.state != "unprocessed"), None)

        alert = await self._until(taken, within_seconds, f"Alertmanager to hold {self.alert}")
        if alert is None:
            raise await why.not_held(self.sight, self.alert)
        config = await self.sight.alertmanager.config()
        routes = tuple(config.routes(alert.labels))
        targets = tuple(dict.fromkeys(t for route in routes for t in config.recipients(route.receiver)))
        self.way = Way(self.alert, alert.labels, routes, targets)
        self.tracing.reached(Hop.ALERTMANAGER, f"held for {', '.join(alert.receivers)}")
        if alert.state == "suppressed" or not targets:
            raise await why.not_notified(self.sight, alert, targets)
        return self.way

    async def delivered(self, way: Way) -> None:
        """Alertmanager has notified, and the messages are where people see them."""
        within = way.group_wait_seconds + self._delivery_seconds
        arrived = await self._messages(way, Hop.DELIVERED, way.targets, within, way.group_wait_seconds)
        last = max((message.at for message in arrived.values()), default=None)
        self._notified(way, last)
        see_readable(Hop.DELIVERED, arrived)
        if arrived:
            self.tracing.reached(Hop.DELIVERED, _told(arrived), last)

    async def notices(self, way: Way) -> None:
        """The resolved notices are where people see them; receivers that send none are not waited for."""
        targets = tuple(target for target in way.targets if target.send_resolved)
        if not targets:
            self.tracing.reached(Hop.NOTICE, "its receivers send no resolved notice")
            return
        within = way.group_interval_seconds + self._delivery_seconds
        arrived = await self._messages(way, Hop.NOTICE, targets, within, way.group_interval_seconds)
        see_readable(Hop.NOTICE, arrived)
        last = max((message.at for message in arrived.values()), default=None)
        self.tracing.reached(Hop.NOTICE, _told(arrived) or "by Alertmanager's own counters", last)

    async def rested(self, filters: list[str], within_seconds: float, expected_seconds: float) -> None:
        """The rule is inactive, and Alertmanager holds the alert no more."""

        async def inactive() -> Rule | None:
            rule = await self.rule()
            return rule if rule and not rule.alerts else None

        async def gone() -> bool:
            return not any(map(self._is_ours, await self.sight.alertmanager.alerts(*filters)))

        what = f"{self.alert} to be inactive again"
        rule = await self._until(inactive, within_seconds, what, expected=expected_seconds)
        if rule is None:
            raise Stopped(
                Hop.RESOLVED, f"still active {lasting(within_seconds)} after the cause has ended",
                remedy="something else keeps it active: look at its value",
            )  # fmt: skip
        if not await self._until(gone, _GRACE_SECONDS, f"Alertmanager to let go of {self.alert}"):
            raise Stopped(Hop.RESOLVED, "inactive in Prometheus, and Alertmanager still holds it")
        self.tracing.reached(Hop.RESOLVED, "inactive, and gone from Alertmanager", rule.last_evaluation)

    def _is_ours(self, alert: Alert) -> bool:
        """Whether Alertmanager's alert is the one that fired, and not another of its name."""
        return not self.fired or alert.labels == self.fired

    def _not_before(self, hop: Hop) -> float:
        """When a message of this hop may have come at the earliest: after the hop that it follows from."""
        follows = {Hop.DELIVERED: (Hop.FIRING,), Hop.NOTICE: (Hop.STOPPED, Hop.DELIVERED)}[hop]
        reached = next((self.tracing.hops[one] for one in follows if one in self.tracing.hops), None)
        return max(self.since, reached.reached_at - _CLOCKS_AGREE_SECONDS) if reached else self.since

    @property
    def _delivery_seconds(self) -> float:
        return float(self.sight.environment.settings.get(_DELIVERY_SETTING, _DELIVERY_SECONDS))

    def _notified(self, way: Way, last: float | None) -> None:
        kinds = sorted({target.kind for target in way.targets})
        self.tracing.reached(
            Hop.RECEIVER, f"{', '.join(r.receiver for r in way.routes)} notified by {', '.join(kinds)}", last
        )

    async def _messages(
        self, way: Way, hop: Hop, targets: tuple[Target, ...], within: float, expected: float
    ) -> dict[Target, Message]:
        """A message for every target that can be looked at; the others are left to Alertmanager's counters
        and to a person."""
        resolved = hop is Hop.NOTICE
        visible = [target for target in targets if self._visible(target)]
        blind = [target for target in targets if target not in visible]
        arrived: dict[Target, Message] = {}
        since = self._not_before(hop)

        async def all_there() -> bool:
            for kind in {target.kind for target in visible}:
                for message in await self.sight.inboxes[kind].find(self.mark, since=since):
                    ours = message.delivered and is_of(message, way.labels)
                    if ours and is_resolved(message) == resolved:
                        assign(message, visible, arrived)
            counted = not blind or await self._counted(blind, 2 if resolved else 1)
            return len(arrived) == len(visible) and counted

        what = "the resolved notice" if resolved else "the message"
        people = ", ".join(str(target) for target in targets)
        try:
            there = await self._until(all_there, within, f"{what} to {people}", expected=expected)
        except Unseen as error:
            looked = (f"the mailbox: {error}",)
            raise Stopped(
                hop, f"the mailbox cannot be read: {error.message}", looked_at=looked, remedy=error.hint,
                outcome=Outcome.UNKNOWN,
            ) from error  # fmt: skip
        if not there:
            missing = [target for target in visible if target not in arrived]
            raise await not_delivered(
                self.sight, hop, missing or blind, self.counted, within, mark=self.mark, since=since
            )
        self.unseen += [target for target in blind if target not in self.unseen]
        return arrived

    def _visible(self, target: Target) -> bool:
        inbox = self.sight.inboxes.get(target.kind)
        return inbox is not None and (target.kind != "email" or inbox.address in ("", target.address))

    async def _counted(self, blind: list[Target], times: int) -> bool:
        now = await tallies(self.sight)
        empty = Tally()
        return all(
            now.get(kind, empty).sent - self.counted.get(kind, empty).sent >= times
            for kind in {target.kind for target in blind}
        )

    async def _until(
        self, condition: Callable[[], Awaitable[_T | None]], within: float, what: str,
        expected: float | None = None,
    ) -> _T | None:  # fmt: skip
        return await self.tracing.until(
            condition,
            within_seconds=within,
            every_seconds=self.every_seconds,
            what=what,
            expected_seconds=expected,
        )


def _told(arrived: Mapping[Target, Message]) -> str:
    people = ", ".join(str(target) for target in arrived)
    subject = next((message.subject for message in arrived.values() if message.subject), "")
    return f"{people}: {subject!r}" if subject else people
