"""Where a test message is looked for: one file for each kind of inbox, behind one small interface."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from opsconsole import config
from opsconsole.model import Exchange

EXCERPT = 2_000
"""Characters of a message's body that are kept."""

DEFAULT_TIMEOUT_SECONDS = 10.0


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
