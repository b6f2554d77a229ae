"""What Alertmanager itself counts of its notifications: the last resort where no mailbox can be looked at."""

from dataclasses import dataclass

from opsconsole.walkthrough.sight import Sight


@dataclass(frozen=True)
class Tally:
    """What was notified by one integration since Alertmanager started: handed over, and tried in vain."""

    sent: float = 0.0
    failed: float = 0.0


async def tallies(sight: Sight) -> dict[str, Tally]:
    """The tallies by integration (email, slack, ...). Raises Unseen."""
    found: dict[str, Tally] = {}
    for one in await sight.alertmanager.notifications():
        before = found.get(one.integration, Tally())
        handed_over = one.requests - one.requests_failed
        found[one.integration] = Tally(before.sent + handed_over, before.failed + one.requests_failed)
    return found
