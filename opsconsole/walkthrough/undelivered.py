"""Why messages have not come: not sent at all, refused for good, tried in vain, or sent and not there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from opsconsole.checkkit import lasting
from opsconsole.clients.handover import mail_handovers, refusals
from opsconsole.clients.receivers import Target
from opsconsole.clients.smtp import MailServer
from opsconsole.model import Hop
from opsconsole.walkthrough.sight import Sight
from opsconsole.walkthrough.tallies import Tally, tallies
from opsconsole.walkthrough.tracing import Stopped
from opsconsole.walkthrough.why import asked, stopped

_REMEDY = "runbooks/email-not-delivered.md; Alertmanager's log says more"
_PATIENCE_SECONDS = 10.0
"""For so long at least Alertmanager tries one notification again and again, where that may help."""

_NOT_THE_MAIL_SERVER = "a template of the mail cannot be filled in"
_NOT_THE_WAY = "its webhook, key or channel is wrong, or a template cannot be filled in"


async def not_delivered(
    sight: Sight, hop: Hop, missing: Sequence[Target], counted: Mapping[str, Tally], within_seconds: float
) -> Stopped:
    """What Alertmanager counts of these messages, and what the mail server says to these recipients."""
    looked: list[str] = []
    now = await asked(tallies(sight), looked)
    since = {
        kind: (now or {}).get(kind, Tally()).since(counted.get(kind, Tally()))
        for kind in sorted({target.kind for target in missing})
    }
    looked += [f"Alertmanager counts since the cause for {kind}: {tally}" for kind, tally in since.items()]
    failed = [kind for kind, tally in since.items() if tally.failed > 0]
    people, within = ", ".join(str(target) for target in missing), lasting(within_seconds)
    if failed:
        how = "; ".join(
            filter(
                None, [_for_good(since, missing, within_seconds), await _mail_refused(sight, missing, looked)]
            )
        )
        because = f"Alertmanager tries in vain to notify by {', '.join(failed)}: nothing for {people}"
        because += f"; {how}" if how else ""
    elif any(tally.sent > 0 for tally in since.values()):
        because = f"Alertmanager has handed it over, and nothing came for {people} within {within}"
        return stopped(hop, because, looked, _REMEDY)
    else:
        because = f"Alertmanager has notified nobody by {', '.join(since)} within {within}"
    return stopped(Hop.RECEIVER if hop is Hop.DELIVERED else hop, because, looked, _REMEDY)


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
