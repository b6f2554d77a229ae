"""Mails that have arrived, and whether anybody can tell from them what is wrong."""

import email
import email.policy

import pytest

from opsconsole.clients.inbox import EXCERPT, Message
from opsconsole.clients.inbox.mails import mail_fault
from opsconsole.clients.mailtext import text_of

HTML = "<html><head><title>[FIRING:1]</title></head><body>{}</body></html>"


def mail(subject: str, body: str) -> Message:
    return Message(
        id="1", channel="email", to=["ada@x.org"], sender="", subject=subject, at=0.0,
        body_excerpt=body[:EXCERPT], delivered=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "body", "fault"),
    [
        ("[FIRING:1] High", "It is high", ""),
        ("Payments fail", "  alertname = High\n", ""),
        ("High", HTML.format("<b>It is high</b>"), ""),
        ("High", HTML.format('<img src="cid:chart">'), ""),
        ("High", "<p>" + "<br>" * EXCERPT, ""),
        (" \r\n", "It is high", "the mail arrived without a subject"),
        ("High", " \r\n", "the mail arrived without a text"),
        ("High", HTML.format("<p>&nbsp;</p>"), "the mail arrived without a text"),
        (
            "High",
            'FIRING: <error expanding template: nil data; no entry for key "value">\nmore',
            'the mail shows an error in the place of an annotation: nil data; no entry for key "value">',
        ),
    ],
    ids=[
        "whole", "name in the text alone", "html alone", "a picture", "cut", "no subject", "no text",
        "nothing to be seen", "template error",
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_mail(subject: str, body: str, fault: str) -> None:
    found = mail_fault(mail(subject, body))
    assert (found.summary if found else "") == fault


@pytest.mark.parametrize(
    ("plain", "html", "text"),
    [("It is high", "<b>it</b>", "It is high"), (" ", "<b>it</b>", "<b>it</b>"), ("", "", "")],
    ids=["plain", "html behind an empty text", "nothing"],
)
def test_the_text_of_a_mail_is_the_part_that_says_something(plain: str, html: str, text: str) -> None:
    parts = f"--x\nContent-Type: text/plain\n\n{plain}\n--x\nContent-Type: text/html\n\n{html}\n--x--\n"
    content = f"Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=x\n\n{parts}"
    assert text_of(email.message_from_string(content, policy=email.policy.default)).strip() == text
