"""An alert test as plain lines: the plan, one line a hop, where it stopped."""

import io
import re

import pytest

from opsconsole import reports
from opsconsole.model import AlertPlan, Event, Hop, HopMissed, ItemStarted, Outcome, Planned
from opsconsole.reports import trace
from opsconsole.reports.text import TextReport
from opsconsole.runview import RunView
from tests.sample_run import (
    CREDITS,
    DRILL,
    HIGH,
    HOSTILE,
    STALLED,
    WEBHOOKS,
    drill,
    ended,
    hop,
    numbered,
    reading,
    sample,
    started,
)

PLANS = f"""\
opsconsole 0.1.0, alert-test, environment staging (effects allowed), run {DRILL}
Plan of BillingPaymentFailureRateHigh
    rule      sum(rate(failed[5m])) / sum(rate(all[5m])) > 0.1, for 15 min; severity=warning, component=billing
    now       0.0213; fires > 0.1, held below 0.25
    sends     declined payments to POST http://127.0.0.1:4000/api/v1/billing/payment-methods
    rate      12 at once, then 0.4 a second for 15 min 30 s: about 384 requests, the fewest: 300
    leaves    20 test objects, removed at the end
    times     pending after 15 s, firing after 15 min 15 s, notified after 15 min 45 s, resolved after 20 min 30 s
    notifies  admin@rsolv.dev, alerts@rsolv.dev
    beside    BillingSuccessRateLow
    after     StripeWebhookFailureRateHigh
"""  # noqa: E501 - as it is printed

OF_THE_FIRST = """\
        0.25 s  BillingPaymentFailureRateHigh      steady        inactive, scraped 3 s ago, the way is clear
        0.00 s  BillingPaymentFailureRateHigh      cause         402 card_declined
       +10.0 s  BillingPaymentFailureRateHigh      metric        0.118 > 0.1
       +15.0 s  BillingPaymentFailureRateHigh      pending       pending since 17:16:17
  +15 min 15 s  BillingPaymentFailureRateHigh      firing        firing
  +15 min 15 s  BillingPaymentFailureRateHigh      alertmanager  active
  +15 min 45 s  BillingPaymentFailureRateHigh      receiver      email, 2 notifications
  +15 min 45 s  BillingPaymentFailureRateHigh      delivered     [FIRING:1] to admin@rsolv.dev, alerts@rsolv.dev
  +15 min 46 s  BillingPaymentFailureRateHigh      stopped       the last request was answered
  +20 min 48 s  BillingPaymentFailureRateHigh      resolved      inactive
  +21 min 18 s  BillingPaymentFailureRateHigh      notice        [RESOLVED] to admin@rsolv.dev
  +21 min 19 s  BillingPaymentFailureRateHigh      clean         20 test objects are gone
PASS      BillingPaymentFailureRateHigh       1281 s  from the cause to the mail in 945 s
"""  # noqa: E501 - as it is printed


def shown(*events: Event) -> list[str]:
    stream = io.StringIO()
    report = TextReport(stream)
    for entry in numbered(events):
        report(entry)
    report.close()
    return stream.getvalue().splitlines()


def test_the_plan_comes_first_and_every_hop_is_one_line() -> None:
    text = reports.render("text", drill())
    assert text.startswith(PLANS)
    lines = [line for line in text.splitlines() if re.match(r" {2}.{12}  Bill|PASS", line)]
    assert "\n".join(lines) + "\n" == OF_THE_FIRST


def test_only_the_last_line_of_an_alert_begins_with_an_outcome() -> None:
    lines = reports.render("text", drill()).splitlines()
    words = [line.split()[:2] for line in lines if line.split()[0] in set(Outcome)]
    assert words == [
        ["FAIL", WEBHOOKS],
        ["UNKNOWN", STALLED],
        ["PASS", HIGH],
        ["SIGN-OFF", CREDITS],
        ["SKIP", "SubscriptionCancellationRateHigh"],
    ]


def test_each_hop_is_shown_as_it_comes() -> None:
    stream = io.StringIO()
    report = TextReport(stream)
    lines = []
    begun: list[Event] = [started("a", kind="alert-test"), ItemStarted(item="a")]
    come: list[Event] = [hop("a", Hop.STEADY, 1.0), reading("a", 0.2, 1), hop("a", Hop.CAUSE, 2.0)]
    for entry in numbered(begun + come):
        report(entry)
        lines.append(len(stream.getvalue().splitlines()))
    assert lines == [1, 1, 2, 2, 3]


def test_where_it_stopped_and_what_was_looked_at() -> None:
    lines = shown(
        started("a", kind="alert-test"),
        hop("a", Hop.CAUSE, 0.0),
        HopMissed(
            item="a",
            hop=Hop.PENDING,
            outcome=Outcome.FAIL,
            because="the rule is not loaded",
            looked_at=("GET /api/v1/rules: 6 alerts",),
            remedy="reload Prometheus",
        ),
    )
    stop = next(place for place, line in enumerate(lines) if "stopped here" in line)
    assert lines[stop : stop + 3] == [
        "       +0.75 s  a  pending       stopped here, because the rule is not loaded",
        "                looked at GET /api/v1/rules: 6 alerts",
        "                to do: reload Prometheus",
    ]


def test_a_plan_that_cannot_succeed_says_so() -> None:
    lines = reports.render("text", drill()).splitlines()
    place = lines.index(f"Plan of {STALLED}")
    assert lines[place + 1 : place + 3] == [
        "    CANNOT: nothing can pause the webhooks here",
        "    to do     watch it",
    ]


def test_how_the_value_was_held() -> None:
    view = RunView.of(drill())
    assert trace.readings(view.items[HIGH]) == (
        "highest 0.118 (threshold 0.1, ceiling 0.25), over it in 2 of 3 readings; "
        "420 requests, 30 of them passing; the fewest: 300"
    )
    assert trace.readings(view.items[STALLED]) == ""


@pytest.mark.parametrize(("op", "word"), [("<", "lowest 0.5"), ("==", "lowest 0.5"), (">", "highest 3")])
def test_the_furthest_value_is_told_by_where_it_is_to_go(op: str, word: str) -> None:
    plan = Planned(item="a", plan=AlertPlan(alert="a", op=op, threshold=1.0))
    view = RunView.of(numbered([started("a"), plan, reading("a", 3.0, 0), reading("a", 0.5, 1)]))
    told = trace.readings(view.items["a"])
    assert told == f"{word} (threshold 1), over it in 2 of 2 readings; 1 request"


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (None, "no value"),
        (0.1042, "0.1042"),
        (12345.6, "12346"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
    ],
)
def test_a_value_as_the_rule_has_it(value: float | None, word: str) -> None:
    assert trace.number(value) == word


def test_an_alert_that_was_tested_again_shows_the_hops_of_the_last_time() -> None:
    again: list[Event] = [ItemStarted(item="a"), hop("a", Hop.CAUSE, 5.0), ended("a", Outcome.PASS, "well")]
    view = RunView.of(numbered([started("a"), hop("a", Hop.FIRING, 1.0), *again]))
    assert [station.hop for station in trace.stations(view.items["a"])] == [Hop.CAUSE]


def test_nothing_of_what_a_server_said_is_obeyed() -> None:
    text = reports.render("text", drill())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert HOSTILE not in text
    assert r"stopped here, because \x1b]0;owned" in text


def test_the_lines_of_a_verification_name_no_kind() -> None:
    assert reports.render("text", sample()).startswith("opsconsole 0.1.0, environment staging (")
