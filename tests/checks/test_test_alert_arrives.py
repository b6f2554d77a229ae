"""A test alert that arrives, and every place where it can be lost."""

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from opsconsole.config import Environment
from opsconsole.engine.discover import discover
from opsconsole.lab.mail import MailServer
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.breaking import Edit, alertmanager_config, ask, replaced, silence
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import NOBODY, blinded, every_reason, saying
from tests.standins.proxy import Asked, Forward, Told, proxied

CHECK = "test_alert_arrives"
INFO = 'labels = { alertname = "BillingTestAlert", component = "billing", severity = "info" }\n'
CRITICAL = INFO.replace("info", "critical")
QUICK = "delivery_seconds = 2\n"


def smarthost(lab: LabState, address: str) -> Edit:
    return replaced(f"smtp_smarthost: {lab.smtp_address}", f"smtp_smarthost: {address}")


@asynccontextmanager
async def losing() -> AsyncIterator[str]:
    """A mail server that takes every mail and delivers none: its address."""
    server = MailServer(lambda *mail, **headers: None)
    try:
        yield f"127.0.0.1:{await server.open()}"
    finally:
        server.close()


async def test_passes_when_the_mail_is_in_every_mailbox(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    view = await verify(here, check=CHECK, settings=CRITICAL)
    assert (view.outcome, view.findings) == (Outcome.PASS, [])
    assert "delivered to admin@rsolv.dev, billing-oncall@rsolv.dev" in view.text
    assert "taken back: no longer active in Alertmanager" in view.text
    assert [seen.text for seen in view.seen if "get theirs was not looked at" in seen.text] == [
        "whether alerts@rsolv.dev, pagerduty, slack #billing-alerts get theirs was not looked at; "
        "`opsconsole alert-test` does"
    ]
    held = ask(f"{lab.alertmanager_url}/api/v2/alerts")
    assert not [alert for alert in held if "opsconsole_run" in alert["labels"]]


async def test_the_mail_server_is_down(lab: LabState, here: Environment, verify: Verify) -> None:
    with alertmanager_config(lab, smarthost(lab, "127.0.0.1:1")):
        view = await verify(here, check=CHECK, settings=INFO + QUICK)
    assert (view.outcome, view.findings[0].subject) == (Outcome.FAIL, "alerts@rsolv.dev")
    assert re.fullmatch(
        r"no mail within 2 s: Alertmanager tried \w+( times)? in vain to send email", view.findings[0].summary
    )
    steps = {step.check: step.outcome for step in view.diagnosis}
    assert steps["mailbox_is_readable"] is Outcome.PASS
    assert steps["notifications_are_sent"] is Outcome.FAIL
    assert steps["alertmanager_answers"] is Outcome.PASS
    assert steps["mail_server_answers"] is Outcome.UNKNOWN


async def test_the_mail_server_takes_it_and_loses_it(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    async with losing() as address:
        with alertmanager_config(lab, smarthost(lab, address)):
            view = await verify(here, check=CHECK, settings=INFO + QUICK)
    assert view.outcome is Outcome.FAIL
    assert view.text.startswith("alerts@rsolv.dev: no mail within 2 s: Alertmanager handed it over")


async def test_only_one_of_two_people_gets_it(lab: LabState, here: Environment, verify: Verify) -> None:
    def lost(asked: Asked, forward: Forward) -> Told:
        return forward().saying('"to": ["billing-oncall@rsolv.dev"]', '"to": []')

    with proxied(f"{here.inbox.url if here.inbox else ''}", lost) as url:
        view = await verify(changed(here, inbox_url=url), check=CHECK, settings=CRITICAL + QUICK)
    assert view.outcome is Outcome.FAIL
    assert view.text.startswith("billing-oncall@rsolv.dev: no mail within 2 s: Alertmanager handed it over")


async def test_a_mail_without_a_subject(lab: LabState, here: Environment, verify: Verify) -> None:
    empty = replaced(
        "      - to: alerts@rsolv.dev\n", "      - to: alerts@rsolv.dev\n        headers: {Subject: ''}\n"
    )
    with alertmanager_config(lab, empty):
        view = await verify(here, check=CHECK, settings=INFO)
    assert view.outcome is Outcome.FAIL
    assert view.text == "alerts@rsolv.dev: the mail arrived without a subject"


async def test_a_mail_without_a_text(lab: LabState, here: Environment, verify: Verify) -> None:
    missing = "        text: '{{ template \"missing\" . }}'\n"
    with alertmanager_config(lab, replaced("        text: *mail\n", missing)):
        view = await verify(here, check=CHECK, settings=INFO)
    assert view.outcome is Outcome.FAIL
    assert view.findings[0].summary == "the mail arrived without a text"


async def test_a_mail_that_does_not_say_what_it_is_about(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    mails = "      - to: alerts@rsolv.dev\n        send_resolved: true\n"
    info = f"  - name: billing-info\n    email_configs:\n{mails}"
    nameless = "        text: Alarm\n        html: ''\n        headers: {Subject: Alarm}\n"
    with alertmanager_config(lab, replaced(f"{info}        text: *mail\n", info + nameless)):
        view = await verify(here, check=CHECK, settings=INFO + QUICK)
    assert view.outcome is Outcome.FAIL
    (finding,) = view.findings
    assert finding.subject == "alerts@rsolv.dev"
    assert re.match(
        r"no mail within 2 s: a mail came meanwhile, with the subject 'Alarm', and \S+ is nowhere in it",
        finding.summary,
    )
    assert "have the receiver's template show" in finding.remedy


async def test_a_mail_that_alertmanager_cannot_write_is_not_waited_for(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    subject = "      - to: alerts@rsolv.dev\n        headers: {Subject: '{{ template \"missing\" . }}'}\n"
    with alertmanager_config(lab, replaced("      - to: alerts@rsolv.dev\n", subject)):
        view = await verify(here, check=CHECK, settings=INFO + "delivery_seconds = 120\n")
    assert view.outcome is Outcome.FAIL
    assert re.match(r"no mail within \d.*: Alertmanager gives up at its first try", view.findings[0].summary)
    assert not view.findings[0].summary.startswith("no mail within 2 min")


@pytest.mark.parametrize(
    ("waited_seconds", "counted", "given_up"),
    [
        (2.5, (1, 1, 1, 1), True),
        (1.0, (1, 1, 1, 1), False),
        (2.5, (1, 0, 3, 3), False),
        (12.0, (2, 1, 7, 7), False),
        (11.0, (1, 1, 1, 1), False),
        (2.5, (2, 1, 1, 1), False),
        (2.5, (2, 1, 2, 1), False),
    ],
    ids=[
        "at once",
        "not begun",
        "tries",
        "patience at its end",
        "no answer",
        "one of two",
        "the other arrived",
    ],
)
def test_when_alertmanager_has_given_up(
    pytestconfig: pytest.Config,
    waited_seconds: float,
    counted: tuple[int, int, int, int],
    given_up: bool,
) -> None:
    run = discover(pytestconfig.rootpath / "checks")[CHECK].run.__globals__
    began = time.monotonic() - waited_seconds - 30.0
    delivery = run["_Delivery"](None, run["_Count"](), ["a@x.dev"], 30.0, 90.0, began)
    assert delivery._at_once(run["_Count"](*counted)) is given_up


async def test_a_silence_is_said_before_anything_is_sent(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with silence(lab, ("component", "billing")):
        view = await verify(here, check=CHECK, settings=INFO)
    assert view.outcome is Outcome.FAIL
    assert "by somebody: maintenance" in view.text
    assert not [exchange for exchange in view.exchanges if exchange.method == "POST"]


async def test_a_drill_that_goes_another_way_proves_nothing(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    astray = replaced(
        "          group_by: [alertname, opsconsole_run]\n", "          receiver: billing-critical\n"
    )
    with alertmanager_config(lab, astray):
        view = await verify(here, check=CHECK, settings=INFO)
    assert view.outcome is Outcome.FAIL
    assert view.text == "the test alert would go to billing-critical, a real one to billing-info"


async def test_a_route_without_email(lab: LabState, here: Environment, verify: Verify) -> None:
    mail = (
        "    email_configs:\n      - to: alerts@rsolv.dev\n        send_resolved: true\n        text: *mail\n"
    )
    nobody = replaced(f"  - name: billing-info\n{mail}", "  - name: billing-info\n")
    with alertmanager_config(lab, nobody):
        view = await verify(here, check=CHECK, settings=INFO)
    assert (view.outcome, view.text) == (Outcome.FAIL, "its route ends at billing-info, which sends no email")


async def test_alertmanager_takes_it_and_forgets_it(lab: LabState, here: Environment, verify: Verify) -> None:
    def forgetful(asked: Asked, forward: Forward) -> Told:
        if asked.method == "POST":
            return Told(200, b"")
        return forward()

    with proxied(lab.alertmanager_url, forgetful) as url:
        view = await verify(changed(here, alertmanager_url=url), check=CHECK, settings=INFO + QUICK)
    assert view.outcome is Outcome.FAIL
    assert "does not show it as active" in view.text


async def test_without_a_mailbox_a_person_signs(lab: LabState, here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, inbox=None), check=CHECK, settings=INFO)
    assert view.outcome is Outcome.SIGN_OFF
    assert "Alertmanager handed the email over" in view.text
    assert view.question.endswith("arrive at alerts@rsolv.dev?")


async def test_for_an_address_that_the_mailbox_does_not_show_a_person_signs(
    here: Environment, verify: Verify
) -> None:
    only = changed(here, inbox_address="admin@rsolv.dev")
    view = await verify(only, check=CHECK, settings=CRITICAL)
    assert view.outcome is Outcome.SIGN_OFF
    assert "delivered to admin@rsolv.dev;" in view.text
    assert view.question.endswith("arrive at billing-oncall@rsolv.dev?")


async def test_without_a_mailbox_a_mail_that_fails_is_no_sign_off(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with alertmanager_config(lab, smarthost(lab, "127.0.0.1:1")):
        view = await verify(changed(here, inbox=None), check=CHECK, settings=INFO + QUICK)
    assert view.outcome is Outcome.FAIL


async def test_skipped_where_nothing_may_be_changed(here: Environment, verify: Verify) -> None:
    view = await verify(here, check=CHECK, settings=INFO, effects=False)
    assert view.outcome is Outcome.SKIP


@every_reason
async def test_unknown_without_the_mailbox(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "inbox_url", reason) as blind:
        view = await verify(blind, check=CHECK, settings=INFO)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text
    assert not [exchange for exchange in view.exchanges if exchange.method == "POST"]


async def test_unknown_without_alertmanager(here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, alertmanager_url=NOBODY), check=CHECK, settings=INFO)
    assert view.outcome is Outcome.UNKNOWN
    assert "connection refused" in view.text


async def test_a_group_wait_of_hours_is_not_waited_for(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with alertmanager_config(lab, lambda text: re.sub(r"group_wait: \w+", "group_wait: 2h", text)):
        view = await verify(here, check=CHECK, settings=INFO)
    assert view.outcome is Outcome.UNKNOWN
    assert "not sent: its route waits 2 h before the first mail, and this check 5 min 30 s" in view.text
    assert not [exchange for exchange in view.exchanges if exchange.method == "POST"]
