"""The mail server takes what Alertmanager hands over."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import (
    Alertmanager,
    Finding,
    MailServer,
    Seen,
    Skip,
    Unseen,
    mail_handovers,
    refusals,
)


async def check(
    alertmanager: Alertmanager, mail_server: MailServer, *, labels: dict[str, str] | None = None
) -> AsyncIterator[Finding | Seen]:
    """Ask it from here, as Alertmanager's running configuration says, up to the recipients; no mail is sent,
    and no login is tried. `labels`: those of an alert whose receivers are meant; without them all are."""
    config = await alertmanager.config()
    receivers = {route.receiver for route in config.routes(labels)} if labels else set(config.receivers)
    handovers = mail_handovers((await alertmanager.status()).config_text, receivers)
    if not handovers:
        raise Skip(f"no mail is sent by {', '.join(sorted(receivers))}")
    unseen: list[Unseen] = []
    for handover in handovers:
        try:
            said = await mail_server.ask(handover)
        except Unseen as error:
            unseen.append(error)
            continue
        refused = list(refusals(handover, said))
        for finding in refused:
            yield finding
        if not refused:
            yield Seen(f"answers with {', '.join(sorted(said.extensions))}", subject=handover.address)
            taken = [address for address in handover.recipients if address in said.replies]
            if taken:
                yield Seen(f"the mail server {handover.address} would take a mail to {', '.join(taken)}")
            else:
                limit = "whom it takes was not asked: that needs Alertmanager's login, or its templates"
                unseen.append(Unseen(f"it answers, and {limit}", where=f"mail server {handover.address}"))
    if unseen:
        raise unseen[0]
