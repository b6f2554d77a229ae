"""Webhooks that are refused and counted, and all the ways in which they are not."""

import re
from dataclasses import replace

import pytest

from opsconsole.config import Environment
from opsconsole.engine.discover import discover
from opsconsole.errors import EffectRefused
from opsconsole.lab.service.webhooks import ANYTHING, EMPTY_SECRET, NO_SIGNATURE
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from opsconsole.secrets import Secret
from tests.checks.breaking import service
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import NOBODY, blinded, every_reason, saying
from tests.standins.proxy import Asked, Forward, Spoil, Told, at, proxied, replacing

ITEM = "webhook-metrics"
WEBHOOK = "/api/webhooks/stripe"
RECEIVED = "rsolv_billing_stripe_webhook_received_total"
FAILED = "rsolv_billing_stripe_webhook_failed_total"


def answering(status: int) -> Spoil:
    """The webhook is answered so, and never reaches the service."""
    return lambda asked, forward: Told(status, b"{}") if asked.path == WEBHOOK else forward()


async def test_passes_when_both_counters_move_by_one(here: Environment, verify: Verify) -> None:
    view = await verify(here, ITEM)
    assert view.outcome is Outcome.PASS
    assert view.text == (
        "with no signature refused too; with a signature made with an empty secret refused too; "
        "refused with 400; received and failed each moved by that one; Prometheus has it within two scrapes"
    )


async def test_answers_that_take_too_long(here: Environment, verify: Verify) -> None:
    item = f'received = "{RECEIVED}"\nfailed = "{FAILED}"\nwebhook_answer_seconds = 1e-6\n'
    view = await verify(here, check="bad_webhook_is_counted", settings=item)
    assert view.outcome is Outcome.FAIL
    (finding,) = view.findings
    assert re.match(r"the service took \S+ s at best to answer a webhook, with nothing", finding.summary)
    assert "Stripe gives up" in finding.detail


@pytest.mark.parametrize(
    ("took_seconds", "slow"),
    [([8.0, 8.1, 7.9], True), ([8.0, 0.1, 8.0], False), ([5.0, 5.0, 5.0], False)],
    ids=["each time", "not each time", "just in time"],
)
def test_one_quick_answer_is_enough(
    pytestconfig: pytest.Config, took_seconds: list[float], slow: bool
) -> None:
    judged = discover(pytestconfig.rootpath / "checks")["bad_webhook_is_counted"].run.__globals__["_slow"]
    assert [finding.summary[:22] for finding in judged(took_seconds, 5.0)] == (
        ["the service took 7.9 s"] if slow else []
    )


async def test_other_failures_at_the_same_time_do_not_disturb(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with service(lab, webhook_failure_share=1.0):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.PASS


async def test_prometheus_alone_is_enough(here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, service_metrics=None), ITEM)
    assert view.outcome is Outcome.PASS
    assert view.text.endswith("; refused with 400; received and failed each moved by that one")


@pytest.mark.parametrize("status", [200, 204])
async def test_accepted_is_an_incident(status: int, lab: LabState, here: Environment, verify: Verify) -> None:
    with proxied(lab.service_url, answering(status)) as url:
        view = await verify(changed(here, service_url=url), ITEM)
    assert view.outcome is Outcome.FAIL
    assert f"was ACCEPTED (status {status})" in view.text


@pytest.mark.parametrize(
    ("believed", "forgery"),
    [
        (ANYTHING, "an invalid signature"),
        (NO_SIGNATURE, "no signature"),
        (EMPTY_SECRET, "a signature made with an empty secret"),
    ],
)
async def test_each_forgery_that_is_believed(
    believed: str, forgery: str, lab: LabState, here: Environment, verify: Verify
) -> None:
    with service(lab, webhooks_believed=[believed]):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.FAIL
    assert [finding.summary for finding in view.findings] == [
        f"a webhook with {forgery} was ACCEPTED (status 200)"
    ]


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (404, f"{WEBHOOK} for webhooks: it was answered with 404, and no counter moved"),
        (403, "was answered with 403 and counted nowhere: it was turned away, it seems, before it reached"),
        (302, "a webhook with an invalid signature was sent on with 302 to nowhere, not refused"),
    ],
)
async def test_a_webhook_that_does_not_reach_the_service(
    status: int, says: str, lab: LabState, here: Environment, verify: Verify
) -> None:
    with proxied(lab.service_url, answering(status)) as url:
        view = await verify(changed(here, service_url=url), ITEM)
    assert view.outcome is Outcome.FAIL
    assert len(view.findings) == 1
    assert says in view.text


@pytest.mark.parametrize("status", [500, 503])
async def test_an_answer_that_is_no_refusal(
    status: int, lab: LabState, here: Environment, verify: Verify
) -> None:
    with proxied(lab.service_url, answering(status)) as url:
        view = await verify(changed(here, service_url=url), ITEM)
    assert view.outcome is Outcome.FAIL
    assert f"was answered with {status}, not refused" in view.text


@pytest.mark.parametrize("share", [0.0, 1.0], ids=["alone", "while others fail"])
async def test_refused_but_not_counted(
    share: float, lab: LabState, here: Environment, verify: Verify
) -> None:
    with service(lab, webhook_failure_share=share), proxied(lab.service_url, answering(400)) as url:
        view = await verify(changed(here, service_url=url), ITEM)
    assert view.outcome is Outcome.FAIL
    assert [finding.subject for finding in view.findings] == [RECEIVED, FAILED]
    assert view.findings[0].summary == "did not move, though the webhook was refused with 400"


async def test_one_of_the_two_counters_stands_still(lab: LabState, here: Environment, verify: Verify) -> None:
    with proxied(lab.service_url, at("/metrics", lambda told: told.saying(FAILED, "renamed"))) as url:
        view = await verify(changed(here, service_metrics=f"{url}/metrics"), ITEM)
    assert view.outcome is Outcome.FAIL
    assert [finding.subject for finding in view.findings] == [FAILED]


async def test_counted_on_the_target_and_not_scraped(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    kept: dict[str, Told] = {}

    def standing_still(asked: Asked, forward: Forward) -> Told:
        query = asked.params.get("query", [""])[0]
        if not query.startswith("sum("):
            return forward()
        return kept.setdefault(query, forward())

    with proxied(lab.prometheus_url, standing_still) as url:
        view = await verify(changed(here, prometheus_url=url), ITEM)
    assert view.outcome is Outcome.FAIL
    assert view.text == "the counters moved on the target, and not in Prometheus within two scrapes"


async def test_the_target_scraped_is_another_one(lab: LabState, here: Environment, verify: Verify) -> None:
    def much_more(asked: Asked, forward: Forward) -> Told:
        told = forward()
        if not asked.params.get("query", [""])[0].startswith("sum("):
            return told
        return replace(told, body=re.sub(rb'(\[[\d.]+,")', rb"\g<1>9000", told.body))

    with proxied(lab.prometheus_url, much_more) as url:
        view = await verify(changed(here, prometheus_url=url), ITEM)
    assert view.outcome is not Outcome.PASS
    assert "Prometheus has more than the target" in view.text


async def test_not_told_apart_from_others_that_are_refused(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    def thrice(asked: Asked, forward: Forward) -> Told:
        if asked.path == WEBHOOK:
            forward(), forward()
        return forward()

    with proxied(lab.service_url, thrice) as url:
        view = await verify(changed(here, service_url=url), ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert "the one sent cannot be told apart" in view.text


@pytest.mark.parametrize(
    ("lost_each_time", "outcome", "said"),
    [
        (0, Outcome.FAIL, "gave the same answer as before .* comes from a cache"),
        (1, Outcome.UNKNOWN, "other_total went down meanwhile: the service has just restarted"),
    ],
    ids=["a cache", "a restart"],
)
async def test_a_page_on_which_the_counters_cannot_move(
    lost_each_time: int, outcome: Outcome, said: str, lab: LabState, here: Environment, verify: Verify
) -> None:
    left = 1000

    def page(told: Told) -> Told:
        nonlocal left
        left -= lost_each_time
        lines = [f'{name}{{event_type="test",status="failed"}} 1' for name in (RECEIVED, FAILED)]
        types = [f"# TYPE {name} counter" for name in (RECEIVED, FAILED, "other_total")]
        text = "\n".join([types[0], lines[0], types[1], lines[1], types[2], f"other_total {left}", ""])
        return Told(200, text.encode(), {"content-type": "text/plain"})

    with proxied(lab.service_url, at("/metrics", page)) as url:
        view = await verify(changed(here, service_metrics=f"{url}/metrics"), ITEM)
    assert view.outcome is outcome
    assert re.search(said, view.text)


async def test_skipped_where_nothing_may_be_changed(here: Environment, verify: Verify) -> None:
    view = await verify(here, ITEM, effects=False)
    assert view.outcome is Outcome.SKIP
    assert view.text == "changes something, and lab is protected: --allow-effects lab"


async def test_a_live_key_is_refused(
    here: Environment, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "sk_live_" + "a1" * 12)
    with pytest.raises(EffectRefused, match="is a live Stripe key"):
        await verify(changed(here, service_api_key=Secret("env:KEY")), ITEM)


async def test_unknown_where_the_service_is_not_there(here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, service_url=NOBODY), ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert "connection refused" in view.text


@every_reason
async def test_unknown_without_prometheus(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "prometheus_url", reason) as blind:
        view = await verify(blind, ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text


async def test_scrapes_hours_apart_are_not_waited_for(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with proxied(lab.prometheus_url, replacing('"scrapeInterval":"1s"', '"scrapeInterval":"2h"')) as url:
        view = await verify(changed(here, prometheus_url=url), ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert view.text == "not sent: scraped only every 2 h, which is not waited for"
