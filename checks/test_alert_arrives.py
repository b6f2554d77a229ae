"""A test alert goes through Alertmanager and arrives in the mailboxes."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from opsconsole.checkkit import (
    Alertmanager,
    AlertmanagerConfig,
    Effects,
    Finding,
    Inbox,
    Message,
    Route,
    Seconds,
    Seen,
    SignOff,
    Unseen,
    came_unnamed,
    in_force,
    lasting,
    mail_fault,
    until,
)

DIAGNOSIS = ("alertmanager_answers", "notifications_are_sent", "mailbox_is_readable", "mail_server_answers")

_SUMMARY = "test of the alert delivery; nothing needs doing"
_PATIENCE_SECONDS = 10.0
"""For so long at least Alertmanager tries one notification again and again, where that may help."""

_BEGUN_SECONDS = 2.0
"""So long after its group_wait a notification has begun for sure."""

_MOST_NAMED = 6


async def check(
    alertmanager: Alertmanager,
    effects: Effects,
    inbox: Inbox | None = None,
    *,
    labels: dict[str, str],
    delivery_seconds: Seconds = 60.0,
    longest_wait_seconds: Seconds = 330.0,
) -> AsyncIterator[Finding | Seen]:
    """Post it through API v2, marked with the run's id; see it in Alertmanager, then in every mailbox of
    its route; take it back. `delivery_seconds` is what the mail may take after the route's group_wait; where
    that is over `longest_wait_seconds` (by default the guide's longest, 5 min, and some) nothing is sent.
    The wait ends early where Alertmanager itself has given the mail up.

    Where the environment names no mailbox, Alertmanager's own counters are followed; for each address that
    no mailbox shows, a person signs.
    """
    config = await alertmanager.config()
    marked = {**labels, "opsconsole_run": effects.run}
    routes = config.routes(marked)
    wanted = _mailboxes(config, routes)
    problems = await _in_the_way(alertmanager, config, labels, marked)
    for problem in problems:
        yield problem
    if problems:
        return
    wait = _bearable_wait(routes, longest_wait_seconds)
    if inbox is not None:
        await inbox.check()
    before = await _counted(alertmanager)
    async with effects.test_alert(marked, {"summary": _SUMMARY}) as sent:
        if not await _taken(alertmanager, effects.run, min(10.0, delivery_seconds)):
            yield Finding(summary="Alertmanager took the test alert and does not show it as active")
            return
        yield Seen(f"Alertmanager took it, for {_receivers(routes)}, after {lasting(wait)}")
        delivery = _Delivery(alertmanager, before, wanted, wait, wait + delivery_seconds)
        async for said in delivery.followed(inbox, effects.run, sent.sent_at):
            yield said
    yield Seen("taken back: no longer active in Alertmanager")
    for other in _not_tried(config, wanted):
        yield other
    if unseen := [address for address in wanted if inbox is None or inbox.address not in ("", address)]:
        raise SignOff(f"Did the mail with {effects.run} arrive at {', '.join(unseen)}?")


def _receivers(routes: list[Route]) -> str:
    return ", ".join(route.receiver for route in routes)


def _mailboxes(config: AlertmanagerConfig, routes: list[Route]) -> list[str]:
    targets = (target for route in routes for target in config.recipients(route.receiver))
    return sorted({target.address for target in targets if target.kind == "email"})


async def _in_the_way(
    alertmanager: Alertmanager, config: AlertmanagerConfig, labels: dict[str, str], marked: dict[str, str]
) -> list[Finding]:
    """What makes it pointless to send the test alert."""
    now = await in_force(alertmanager)
    held = [
        replace(why, summary=f"not sent, it would not arrive: it {why.summary}")
        for why in now.held_back(marked)
    ]
    found = [*_not_as_real(config, labels, marked), *held]
    if not _mailboxes(config, routes := config.routes(marked)):
        found.append(Finding(summary=f"its route ends at {_receivers(routes)}, which sends no email"))
    return found


def _bearable_wait(routes: list[Route], longest_seconds: float) -> float:
    """The longest group_wait of the routes. Raises Unseen where it is too long to be waited for."""
    wait = max(route.group_wait_seconds for route in routes)
    if wait > longest_seconds:
        raise Unseen(
            f"not sent: its route waits {lasting(wait)} before the first mail, "
            f"and this check {lasting(longest_seconds)}",
            hint="set longest_wait_seconds to wait that long",
        )
    return wait


async def _taken(alertmanager: Alertmanager, run: str, within_seconds: float) -> bool:
    async def shown() -> bool:
        found = await alertmanager.alerts(f'opsconsole_run="{run}"')
        return any(alert.state == "active" for alert in found)

    what = "Alertmanager to show the test alert"
    return bool(await until(shown, within_seconds=within_seconds, what=what))


def _not_tried(config: AlertmanagerConfig, tried: list[str]) -> list[Seen]:
    """The receivers that this alert does not go to: of these, nothing is known."""
    every = sorted((t for targets in config.receivers.values() for t in targets), key=lambda t: t.kind)
    others = dict.fromkeys(
        _name(t.kind, t.address) for t in every if t.kind != "email" or t.address not in tried
    )
    if not others:
        return []
    named = list(others)[:_MOST_NAMED]
    more = f" and {len(others) - len(named)} more" if len(others) > len(named) else ""
    text = f"whether {', '.join(named)}{more} get theirs was not looked at; `opsconsole alert-test` does"
    return [Seen(text)]


def _name(kind: str, address: str) -> str:
    if kind == "email":
        return address
    return kind if "://" in address or "<" in address else f"{kind} {address}".rstrip()


def _not_as_real(config: AlertmanagerConfig, labels: dict[str, str], marked: dict[str, str]) -> list[Finding]:
    """A test that goes another way than the real alert proves nothing about that one."""
    real = [route.receiver for route in config.routes(labels)]
    test = [route.receiver for route in config.routes(marked)]
    if real == test:
        return []
    return [Finding(summary=f"the test alert would go to {', '.join(test)}, a real one to {', '.join(real)}")]


@dataclass(frozen=True)
class _Count:
    """What Alertmanager counts of its emails: notifications begun, and of these given up; tries that have
    ended, and of these in vain."""

    begun: float = 0.0
    given_up: float = 0.0
    tries: float = 0.0
    in_vain: float = 0.0

    def since(self, before: "_Count") -> "_Count":
        return _Count(
            self.begun - before.begun,
            self.given_up - before.given_up,
            self.tries - before.tries,
            self.in_vain - before.in_vain,
        )

    @property
    def handed_over(self) -> float:
        return self.tries - self.in_vain


async def _counted(alertmanager: Alertmanager) -> _Count:
    counters = [c for c in await alertmanager.notifications() if c.integration == "email"]
    return _Count(
        sum(c.sent for c in counters),
        sum(c.failed for c in counters),
        sum(c.requests for c in counters),
        sum(c.requests_failed for c in counters),
    )


@dataclass
class _Delivery:
    """The mails to the addresses `wanted` on their way, since Alertmanager counted `before`. They leave after
    `group_wait_seconds`, and are there after `within_seconds`."""

    alertmanager: Alertmanager
    before: _Count
    wanted: list[str]
    group_wait_seconds: float
    within_seconds: float
    began: float = field(default_factory=time.monotonic)

    async def followed(self, inbox: Inbox | None, run: str, sent_at: float) -> AsyncIterator[Finding | Seen]:
        """What is said of them, by the mailbox, or by Alertmanager's counters where there is none."""
        async for said in self.by_mailbox(inbox, run, sent_at) if inbox else self.by_counters():
            yield said

    async def by_mailbox(self, inbox: Inbox, run: str, sent_at: float) -> AsyncIterator[Finding | Seen]:
        visible = [address for address in self.wanted if inbox.address in ("", address)]
        if not visible:
            summary = f"the mailbox shows none of {', '.join(self.wanted)}"
            yield Finding(summary=summary, remedy="correct inbox.address")
            return
        arrived: dict[str, Message] = {}

        async def all_there() -> bool:
            for message in await inbox.find(run, since=sent_at):
                for address in message.to:
                    if message.channel == "email" and message.delivered:
                        arrived.setdefault(address, message)
            return all(address in arrived for address in visible)

        given_up = await self._until(all_there, f"the mail to {', '.join(visible)}")
        now = await self._now()
        why = self._why(now, given_up)
        for address in visible:
            if message := arrived.get(address):
                yield _as_arrived(address, message, sent_at)
            else:
                unnamed = await self._unnamed(inbox, address, run, sent_at) if now.handed_over > 0 else None
                because, remedy = (unnamed.summary, unnamed.remedy) if unnamed else why
                summary = f"no mail within {self._waited(given_up)}: {because}"
                yield Finding(subject=address, summary=summary, detail=f"looked for {run}", remedy=remedy)
        if len(arrived.keys() & set(visible)) == len(visible) and now.in_vain > 0:
            yield _in_vain(now)
        if there := [address for address in visible if address in arrived]:
            yield Seen(f"delivered to {', '.join(there)}")

    async def _unnamed(self, inbox: Inbox, address: str, run: str, sent_at: float) -> Finding | None:
        """A mail that may be the one that is missing, as far as that can be seen."""
        found: Finding | None = None
        with suppress(Unseen):
            found = await came_unnamed(self.alertmanager, inbox, address, run, since=sent_at)
        return found

    async def by_counters(self) -> AsyncIterator[Finding | Seen]:
        async def handed_over() -> bool:
            return (await self._now()).handed_over > 0

        given_up = await self._until(handed_over, "Alertmanager to send the mail")
        now = await self._now()
        if now.handed_over <= 0:
            why, remedy = self._why(now, given_up)
            yield Finding(summary=f"Alertmanager sent no email within {self._waited(given_up)}: {why}",
                          remedy=remedy)  # fmt: skip
            return
        if now.in_vain > 0:
            yield _in_vain(now)
        yield Seen("Alertmanager handed the email over; no mailbox is named, so its arrival was not seen")

    async def _until(self, condition: Callable[[], Awaitable[bool]], what: str) -> bool:
        """Wait until it holds; True where Alertmanager has given up before."""
        given_up = False

        async def decided() -> bool:
            nonlocal given_up
            if await condition():
                return True
            given_up = self._at_once(await self._now())
            return given_up

        await until(decided, within_seconds=self.within_seconds, what=what)
        return given_up

    async def _now(self) -> _Count:
        return (await _counted(self.alertmanager)).since(self.before)

    def _at_once(self, now: _Count) -> bool:
        """Whether all that it has begun is given up, each at its first try and long before its patience is at
        an end: what it does where trying again cannot help."""
        trying = time.monotonic() - self.began - self.group_wait_seconds
        return (
            trying >= _BEGUN_SECONDS
            and now.given_up >= max(now.begun, len(self.wanted))
            and now.tries == now.in_vain == now.given_up
            and trying * len(self.wanted) < _PATIENCE_SECONDS * now.given_up
        )

    def _waited(self, given_up: bool) -> str:
        return lasting(time.monotonic() - self.began if given_up else self.within_seconds)

    def _why(self, now: _Count, given_up: bool) -> tuple[str, str]:
        """What became of it as Alertmanager counts, and what to do about it."""
        if given_up or self._at_once(now):
            return (
                "Alertmanager gives up at its first try, as where a template of the mail cannot be filled in",
                "its log names the template: look for unrecoverable",
            )
        if now.in_vain > 0:
            return _in_vain(now).summary, "its log says why"
        if now.handed_over > 0:
            return (
                "Alertmanager handed it over, so it is lost or late behind the mail server that took it",
                "look for it in the mail server's log, and in the spam folder",
            )
        if now.begun > 0:
            return (
                "Alertmanager is still handing it over, the mail server has not taken it yet",
                "look what keeps the mail server busy",
            )
        return "Alertmanager has not begun to send it", "its log says why"


def _as_arrived(address: str, message: Message, sent_at: float) -> Finding | Seen:
    fault: Finding | None = mail_fault(message)
    if fault is not None:
        return replace(fault, subject=address)
    took = lasting(max(0.0, message.at - sent_at))
    return Seen(f"{message.subject!r}, {took} after it was sent", subject=address)


def _in_vain(now: _Count) -> Finding:
    times = "once" if now.in_vain == 1 else f"{now.in_vain:g} times"
    return Finding(summary=f"Alertmanager tried {times} in vain to send email", remedy="its log says why")
