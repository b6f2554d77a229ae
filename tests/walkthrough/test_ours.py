"""Messages of the alert under test, told from those of others that look like it."""

import pytest

from opsconsole.clients.inbox import Message
from opsconsole.clients.receivers import Target
from opsconsole.walkthrough.ours import assign, is_of

LABELS = {"alertname": "CreditsHigh", "job": "billing", "severity": "info"}
OPS, ALERTS = Target("slack", "#ops", True), Target("slack", "#alerts", True)
ADA, BEN = Target("email", "ada@x.org", True), Target("email", "ben@x.org", True)


def message(subject: str, body: str = "", *, channel: str = "email", to: tuple[str, ...] = ()) -> Message:
    return Message(
        id="1",
        channel=channel,
        to=list(to),
        sender="",
        subject=subject,
        at=0.0,
        body_excerpt=body,
        delivered=True,
    )


@pytest.mark.parametrize(
    ("subject", "body", "ours"),
    [
        ("[FIRING:1] CreditsHigh (info)", "", True),
        ("[FIRING:1] CreditsHighByPartner (info)", "", False),
        ("[FIRING:1] CreditsHigh", "  alertname = CreditsHigh\n  job = billing\n", True),
        ("[FIRING:1] CreditsHigh", "  alertname = CreditsHigh\n  job = other\n", False),
        ("[FIRING:2] CreditsHigh", " - job = other\n - job = billing\n", True),
        ("trigger: CreditsHigh", "Labels:\\n - alertname = CreditsHigh\\n - job = other\\n", False),
        ("[FIRING:1] CreditsHigh", "  cluster = other\n", True),
    ],
    ids=[
        "its own",
        "a longer name",
        "its labels",
        "another job",
        "a group with it",
        "escaped",
        "more labels",
    ],
)
def test_is_of(subject: str, body: str, ours: bool) -> None:
    assert is_of(message(subject, body), LABELS) is ours


def test_a_mail_counts_for_each_of_its_recipients_and_nobody_else() -> None:
    arrived: dict[Target, Message] = {}
    assign(message("x", to=("ada@x.org",)), [ADA, BEN], arrived)
    assert set(arrived) == {ADA}


def test_one_message_in_one_channel_does_not_count_for_another() -> None:
    arrived: dict[Target, Message] = {}
    assign(message("x", channel="slack", to=("#alerts",)), [OPS, ALERTS], arrived)
    assert set(arrived) == {ALERTS}


def test_the_only_channel_of_its_kind_need_not_be_named() -> None:
    arrived: dict[Target, Message] = {}
    assign(message("x", channel="slack", to=("C0123",)), [OPS, ADA], arrived)
    assert set(arrived) == {OPS}
