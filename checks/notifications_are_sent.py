"""Alertmanager's notifications leave without errors."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import Alertmanager, Finding, Seen


async def check(alertmanager: Alertmanager) -> AsyncIterator[Finding | Seen]:
    """By its own counters since it started, per integration."""
    counters = await alertmanager.notifications()
    if not any(counter.sent for counter in counters):
        yield Seen("nothing was sent yet")
    for counter in counters:
        name = f"{counter.integration} {counter.receiver}".strip()
        if counter.failed or counter.requests_failed:
            reasons = ", ".join(f"{count:g} by {reason}" for reason, count in counter.reasons.items())
            yield Finding(
                subject=name,
                summary=f"{counter.failed:g} of {counter.sent:g} notifications failed, "
                f"{counter.requests_failed:g} of {counter.requests:g} tries",
                detail=f"Given up: {reasons}" if reasons else "",
                remedy=f"Alertmanager's log says why: look for {counter.integration}",
            )
        elif counter.sent:
            yield Seen(f"{counter.sent:g} sent, none failed", subject=name)
