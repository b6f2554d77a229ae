"""Mails of Alertmanager that have arrived: whether a person can tell from them what is wrong."""

import re
from typing import TYPE_CHECKING

from opsconsole.clients.handover import mail_handovers
from opsconsole.clients.inbox import EXCERPT, Inbox, Message
from opsconsole.model import Finding
from opsconsole.redaction import excerpt

if TYPE_CHECKING:
    from opsconsole.clients.alertmanager import Alertmanager

_TEMPLATE_ERROR = re.compile(r"error expanding template: ([^\n]*)")
"""What Prometheus writes in the place of an annotation that it cannot fill in."""

_NOT_SHOWN = re.compile(r"<(head|style|script)\b.*?</\1\s*>|<!--.*?-->|<(?!img\b)[^>]*>|&nbsp;", re.I | re.S)
_LONGEST_WORDS = 200


def mail_fault(message: Message) -> Finding | None:
    """What keeps a mail that arrived from telling anybody anything, None where it can be read.

    Its subject is empty, or its text, or its text shows the error of a template. Which words of an alert it
    has is the template's own affair. Of a text that was cut nothing is said.
    """
    if not message.subject.strip():
        return _ill("arrived without a subject", "look at the template of its Subject in the receiver")
    if error := _TEMPLATE_ERROR.search(message.body_excerpt):
        said = excerpt(error[1], _LONGEST_WORDS)
        return _ill(
            f"shows an error in the place of an annotation: {said}",
            "correct the template in the alert's annotations, in the rule file",
        )
    whole = len(message.body_excerpt) < EXCERPT
    if whole and not _NOT_SHOWN.sub(" ", message.body_excerpt).strip():
        return _ill("arrived without a text", "look at the template of its text or html in the receiver")
    return None


async def came_unnamed(
    alertmanager: "Alertmanager", inbox: Inbox, address: str, mark: str, *, since: float
) -> Finding | None:
    """A mail that Alertmanager sent to this address at `since` (unix seconds) or later, in which `mark` is
    nowhere, and the name of no other alert that it holds; None where none came.

    `mark` is a value of a label of the alert that is missing: its mail may be this one. Raises Unseen.
    """
    config, status = await alertmanager.config(), await alertmanager.status()
    alerts = await alertmanager.alerts()
    others = {a.labels.get("alertname", mark) for a in alerts if mark not in a.labels.values()}
    known = {message.id for message in await inbox.find(mark, since=since)}
    for handover in mail_handovers(status.config_text, config.receivers):
        if not handover.sender or address not in handover.recipients:
            continue
        for message in await inbox.find(handover.sender, since=since):
            text = f"{message.subject}\n{message.body_excerpt}"
            if message.id in known or address not in message.to or any(name in text for name in others):
                continue
            return Finding(
                subject=address,
                summary=f"a mail came meanwhile, with the subject {message.subject!r}, and {mark} is nowhere "
                "in it: if it is this one, it does not say which alert it is about",
                remedy="have the receiver's template show the alert's name and labels",
            )
    return None


def _ill(what: str, remedy: str) -> Finding:
    return Finding(summary=f"the mail {what}", remedy=remedy)
