"""What Alertmanager itself counts of its notifications: the last resort where no mailbox can be looked at."""

from dataclasses import dataclass

from opsconsole.walkthrough.sight import Sight


@dataclass(frozen=True)
class Tally:
    """What was notified by one integration since Alertmanager started: tries that handed it over, tries in
    vain, and notifications that were given up, with the reasons where the version tells them."""

    sent: float = 0.0
    failed: float = 0.0
    given_up: float = 0.0
    reasons: tuple[str, ...] = ()

    def since(self, before: "Tally") -> "Tally":
        """What was added; of the reasons those that are new."""
        return Tally(
            self.sent - before.sent,
            self.failed - before.failed,
            self.given_up - before.given_up,
            tuple(reason for reason in self.reasons if reason not in before.reasons),
        )

    def __str__(self) -> str:
        return f"{self.sent:g} handed over, {self.failed:g} tried in vain, {self.given_up:g} given up"


async def tallies(sight: Sight) -> dict[str, Tally]:
    """The tallies by integration (email, slack, ...). Raises Unseen."""
    found: dict[str, Tally] = {}
    for one in await sight.alertmanager.notifications():
        before = found.get(one.integration, Tally())
        found[one.integration] = Tally(
            before.sent + one.requests - one.requests_failed,
            before.failed + one.requests_failed,
            before.given_up + one.failed,
            tuple(dict.fromkeys([*before.reasons, *one.reasons])),
        )
    return found
