"""Why messages have not come: not sent at all, refused for good, tried in vain, or sent and not there; and
mails that have come and cannot be read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from opsconsole.checkkit import lasting
from opsconsole.clients.handover import mail_handovers, refusals
from opsconsole.clients.inbox import Message
from opsconsole.clients.inbox.mails import came_unnamed, mail_fault
from opsconsole.clients.receivers import Target
from opsconsole.clients.smtp import MailServer
from opsconsole.model import Finding, Hop
from opsconsole.walkthrough.sight import Sight
from opsconsole.walkthrough.tallies import Tally, tallies
from opsconsole.walkthrough.tracing import Stopped
from opsconsole.walkthrough.why import asked, stopped

_REMEDY = "runbooks/email-not-delivered.md; Alertmanager's log says more"
_PATIENCE_SECONDS = 10.0
"""For so long at least Alertmanager tries one notification again and again, where that may help."""

_NOT_THE_MAIL_SERVER = "a template of the mail cannot be filled in"
_NOT_THE_WAY = "its webhook, key or channel is wrong, or a template cannot be filled in"


def see_readable(hop: Hop, arrived: Mapping[Target, Message]) -> None:
    """Raise Stopped where a mail that has arrived cannot be read."""
    mails = [(target.address, message) for target, message in arrived.items() if target.kind == "email"]
    faults = [(address, fault) for address, message in mails if (fault := mail_fault(message))]
    if faults:
        because = "; ".join(f"{address}: {fault.summary}" for address, fault in faults)
        remedy = "; ".join(dict.fromkeys(fault.remedy for _, fault in faults))
        looked = [f"the mail to {address}: subject {one.subject!r}" for address, one in mails]
        raise stopped(hop, because, looked, remedy)


async def not_delivered(
    sight: Sight, hop: Hop, missing: Sequence[Target], counted: Mapping[str, Tally], within_seconds: float,
    *, mark: str, since: float,
) -> Stopped:  # fmt: skip
    """What Alertmanager counts of these messages, what the mail server says to these recipients, and which
    mails have come to them at `since` (unix seconds) or later in which `mark` is not."""
    looked: list[str] = []
    now = await asked(tallies(sight), looked)
    added = {
        kind: (now or {}).get(kind, Tally()).since(counted.get(kind, Tally()))
        for kind in sorted({target.kind for target in missing})
    }
    looked += [f"Alertmanager counts since the cause for {kind}: {tally}" for kind, tally in added.items()]
    failed = [kind for kind, tally in added.items() if tally.failed > 0]
    people, within = ", ".join(str(target) for target in missing), lasting(within_seconds)
    if failed:
        how = [_for_good(added, missing, within_seconds), await _mail_refused(sight, missing, looked)]
        because = f"Alertmanager tries in vain to notify by {', '.join(failed)}: nothing for {people}"
        because = "; ".join(filter(None, [because, *how]))
    elif any(tally.sent > 0 for tally in added.values()):
        because = f"Alertmanager has handed it over, and nothing came for {people} within {within}"
        unnamed = await asked(_unnamed(sight, missing, mark, since), looked) or []
        told = [because, *(f"{one.subject}: {one.summary}" for one in unnamed)]
        remedies = dict.fromkeys([*(one.remedy for one in unnamed), _REMEDY])
        return stopped(hop, "; ".join(told), looked, "; ".join(remedies))
    else:
        because = f"Alertmanager has notified nobody by {', '.join(added)} within {within}"
    return stopped(Hop.RECEIVER if hop is Hop.DELIVERED else hop, because, looked, _REMEDY)


async def _unnamed(sight: Sight, missing: Sequence[Target], mark: str, since: float) -> list[Finding]:
    """What came to them by mail in which `mark` is not."""
    if (inbox := sight.inboxes.get("email")) is None:
        return []
    seen = [
        await came_unnamed(sight.alertmanager, inbox, target.address, mark, since=since)
        for target in missing
        if target.kind == "email"
    ]
    return [one for one in seen if one is not None]


def _for_good(since: Mapping[str, Tally], missing: Sequence[Target], within_seconds: float) -> str:
    """Which of them are refused so that Alertmanager does not try again, and what that means."""
    told = []
    for kind, tally in since.items():
        at_once = sum(target.kind == kind for target in missing)
        often = tally.given_up * _PATIENCE_SECONDS > within_seconds * at_once
        if tally.given_up >= tally.failed > 0 and (tally.given_up <= at_once or often):
            reasons = f" ({', '.join(tally.reasons)})" if tally.reasons else ""
            means = _NOT_THE_MAIL_SERVER if kind == "email" else _NOT_THE_WAY
            told.append(f"{kind} is given up at the first try{reasons}, as where {means}")
    return "; ".join(told)


async def _mail_refused(sight: Sight, missing: Sequence[Target], looked: list[str]) -> str:
    """What the mail server, asked from here, refuses of the mails that are missing."""
    people = {target.address for target in missing if target.kind == "email"}
    if sight.mail_server is None or not people:
        return ""
    return await asked(_refusals(sight, sight.mail_server, people), looked) or ""


async def _refusals(sight: Sight, mail_server: MailServer, people: set[str]) -> str:
    config, status = await sight.alertmanager.config(), await sight.alertmanager.status()
    told = []
    for handover in mail_handovers(status.config_text, config.receivers):
        if meant := tuple(address for address in handover.recipients if address in people):
            said = await mail_server.ask(replace(handover, recipients=meant))
            told += [finding.summary for finding in refusals(handover, said)]
    return "; ".join(told)
