"""A test alert goes through Alertmanager and arrives in the mailboxes."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

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
    lasting,
    silenced,
    until,
)

DIAGNOSIS = ("alertmanager_answers", "notifications_are_sent", "mailbox_is_readable")

_SUMMARY = "test of the alert delivery; nothing needs doing"


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

    Where the environment names no mailbox, Alertmanager's own counters are followed; for each address that
    no mailbox shows, a person signs.
    """
    config = await alertmanager.config()
    marked = {**labels, "opsconsole_run": effects.run}
    routes = config.routes(marked)
    wanted = sorted(
        {t.address for route in routes for t in config.recipients(route.receiver) if t.kind == "email"}
    )
    problems = [
        *_not_as_real(config, labels, marked),
        *_held_back(config, routes, marked, await alertmanager.silences(), await alertmanager.now()),
    ]
    if not wanted:
        problems.append(Finding(summary=f"its route ends at {routes[0].receiver}, which sends no email"))
    for problem in problems:
        yield problem
    if problems:
        return
    wait = max(route.group_wait_seconds for route in routes)
    if wait > longest_wait_seconds:
        raise Unseen(
            f"not sent: its route waits {lasting(wait)} before the first mail, "
            f"and this check {lasting(longest_wait_seconds)}",
            hint="set longest_wait_seconds to wait that long",
        )
    if inbox is not None:
        await inbox.check()
    before = await _email_counters(alertmanager)
    async with effects.test_alert(marked, {"summary": _SUMMARY}) as sent:

        async def taken() -> bool:
            found = await alertmanager.alerts(f'opsconsole_run="{effects.run}"')
            return any(alert.state == "active" for alert in found)

        if not await until(
            taken, within_seconds=min(10.0, delivery_seconds), what="Alertmanager to show the test alert"
        ):
            yield Finding(summary="Alertmanager took the test alert and does not show it as active")
            return
        yield Seen(
            f"Alertmanager took it, for {', '.join(r.receiver for r in routes)}, after {lasting(wait)}"
        )
        if inbox is None:
            async for said in _by_counters(alertmanager, before, wait + delivery_seconds):
                yield said
        else:
            async for said in _by_mailbox(inbox, effects.run, sent.sent_at, wanted, wait + delivery_seconds):
                yield said
            async for said in _failures(alertmanager, before):
                yield said
    yield Seen("taken back: no longer active in Alertmanager")
    if unseen := [address for address in wanted if inbox is None or inbox.address not in ("", address)]:
        raise SignOff(f"Did the mail with {effects.run} arrive at {', '.join(unseen)}?")


def _not_as_real(config: AlertmanagerConfig, labels: dict[str, str], marked: dict[str, str]) -> list[Finding]:
    """A test that goes another way than the real alert proves nothing about that one."""
    real = [route.receiver for route in config.routes(labels)]
    test = [route.receiver for route in config.routes(marked)]
    if real == test:
        return []
    return [Finding(summary=f"the test alert would go to {', '.join(test)}, a real one to {', '.join(real)}")]


def _held_back(
    config: AlertmanagerConfig,
    routes: list[Route],
    marked: dict[str, str],
    silences: list[dict[str, Any]],
    at: datetime,
) -> list[Finding]:
    reasons = [
        f"silenced by {silence.created_by}: {silence.comment}" for silence in silenced(marked, silences, at)
    ]
    reasons += [reason for route in routes if (reason := config.muted_now(route, at))]
    return [Finding(summary=f"not sent, it would not arrive: {reason}") for reason in reasons]


async def _by_mailbox(
    inbox: Inbox, run: str, sent_at: float, wanted: list[str], within: float
) -> AsyncIterator[Finding | Seen]:
    visible = [address for address in wanted if inbox.address in ("", address)]
    if not visible:
        yield Finding(
            summary=f"the mailbox shows none of {', '.join(wanted)}", remedy="correct inbox.address"
        )
        return
    arrived: dict[str, Message] = {}

    async def all_there() -> bool:
        for message in await inbox.find(run, since=sent_at):
            for address in message.to:
                if message.channel == "email" and message.delivered:
                    arrived.setdefault(address, message)
        return all(address in arrived for address in visible)

    await until(all_there, within_seconds=within, what=f"the mail to {', '.join(visible)}")
    for address in visible:
        message = arrived.get(address)
        if message is None:
            yield Finding(
                subject=address, summary=f"no mail within {lasting(within)}", detail=f"looked for {run}"
            )
        elif not message.subject.strip():
            yield Finding(
                subject=address, summary="the mail arrived without a subject", remedy="is a template broken?"
            )
        else:
            yield Seen(
                f"{message.subject!r}, {lasting(max(0.0, message.at - sent_at))} after it was sent",
                subject=address,
            )
    there = [address for address in visible if address in arrived]
    if there:
        yield Seen(f"delivered to {', '.join(there)}")


async def _email_counters(alertmanager: Alertmanager) -> tuple[float, float]:
    """Emails handed over to the mail server so far, and tries in vain."""
    counters = [c for c in await alertmanager.notifications() if c.integration == "email"]
    failed = sum(c.requests_failed for c in counters)
    return sum(c.requests for c in counters) - failed, failed


async def _by_counters(
    alertmanager: Alertmanager, before: tuple[float, float], within: float
) -> AsyncIterator[Finding | Seen]:
    async def counted() -> bool:
        return (await _email_counters(alertmanager))[0] > before[0]

    if await until(counted, within_seconds=within, what="Alertmanager to send the mail"):
        async for said in _failures(alertmanager, before):
            yield said
        yield Seen("Alertmanager handed the email over; no mailbox is named, so its arrival was not seen")
    else:
        async for said in _failures(alertmanager, before):
            yield said
        yield Finding(summary=f"Alertmanager sent no email within {lasting(within)}")


async def _failures(alertmanager: Alertmanager, before: tuple[float, float]) -> AsyncIterator[Finding | Seen]:
    failed = (await _email_counters(alertmanager))[1] - before[1]
    if failed > 0:
        yield Finding(
            summary=f"Alertmanager tried {failed:g} times in vain to send email", remedy="its log says why"
        )
