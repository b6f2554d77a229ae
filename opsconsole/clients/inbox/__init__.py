"""Where a test message is looked for: one file for each kind of inbox, behind one small interface."""

import re
from collections.abc import Callable
from typing import Protocol

import msgspec

from opsconsole import config
from opsconsole.model import Exchange

EXCERPT = 2_000
"""Characters of a message's body that are kept."""

DEFAULT_TIMEOUT_SECONDS = 10.0

CHANNELS = ("email", "slack", "pagerduty")

_STATUS = re.compile(r"\b(firing|resolved)\b", re.IGNORECASE)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `channel` is email, slack or pagerduty; `at` is in unix seconds; `delivered` says that
    it is in the mailbox, or that the destination's server took it: sent alone is not delivered."""

    id: str
    channel: str
    to: list[str]
    sender: str
    subject: str
    at: float
    body_excerpt: str
    delivered: bool


def is_resolved(message: Message) -> bool:
    """Whether the message tells that an alert is over, not that it fires.

    By PagerDuty's own action; else by Alertmanager's word for the status of the group: the first in the
    subject, which its templates begin with (`[FIRING:1]`, `[RESOLVED]`), or else in the text. A group in
    which one alert still fires is told as firing.
    """
    if message.channel == "pagerduty":
        return message.subject.startswith("resolve:")
    words = (_STATUS.search(part) for part in (message.subject, message.body_excerpt))
    first = next(filter(None, words), None)
    return first is not None and first[1].lower() == "resolved"


class Inbox(Protocol):
    """A place where messages arrive, those to one `address` alone where that is not empty. Its methods raise
    `opsconsole.errors.Unseen` where it is not seen."""

    kind: str
    address: str

    async def check(self) -> str:
        """See that it is there and lets us in; returns one line on what it is."""

    async def find(self, text: str, *, since: float) -> list[Message]:
        """The messages that contain `text` and came at `since` (unix seconds) or later, oldest first."""

    async def close(self) -> None:
        """Give back what it holds."""


def make(
    settings: config.Inbox,
    record: Callable[[Exchange], None],
    *,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> Inbox:
    """The inbox that the settings name. `record` takes every exchange; `timeout_seconds` bounds one where
    the settings do not. Raises ConfigError where the settings lack what the kind needs."""
    bound = settings.timeout_seconds or timeout_seconds
    match settings.kind:
        case "lab":
            from opsconsole.clients.inbox.lab import LabInbox

            return LabInbox(settings, record, bound)
        case "imap":
            from opsconsole.clients.inbox.imap import ImapInbox

            return ImapInbox(settings, record, bound)
        case "mailpit":
            from opsconsole.clients.inbox.mailpit import MailpitInbox

            return MailpitInbox(settings, record, bound)
        case "postmark":
            from opsconsole.clients.inbox.postmark import PostmarkInbox

            return PostmarkInbox(settings, record, bound)


def make_all(environment: config.Environment, record: Callable[[Exchange], None]) -> dict[str, Inbox]:
    """Where the messages of each channel (email, slack, pagerduty) can be looked for, as far as the
    environment says; the lab's inbox is all three. Raises ConfigError as `make`."""
    bound = environment.request_timeout_seconds
    inboxes: dict[str, Inbox] = {}
    if environment.inbox is not None:
        inbox = make(environment.inbox, record, timeout_seconds=bound)
        inboxes |= dict.fromkeys(CHANNELS if inbox.kind == "lab" else ("email",), inbox)
    if environment.slack is not None:
        from opsconsole.clients.inbox.slack import SlackInbox

        inboxes["slack"] = SlackInbox(environment.slack, record, bound)
    if environment.pagerduty is not None:
        from opsconsole.clients.inbox.pagerduty import PagerDutyInbox

        inboxes["pagerduty"] = PagerDutyInbox(environment.pagerduty, record, bound)
    return inboxes
