"""Alerts that reach whom they are meant for, and all that keeps them from it."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import urlopen

import msgspec
import pytest
import yaml

from opsconsole.clients.prometheus_answers import Running
from opsconsole.config import Environment
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.breaking import (
    Edit,
    alertmanager_config,
    ask,
    eventually,
    firing,
    prometheus_config,
    replaced,
    rule_file,
    rules,
    silence,
)
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import blinded, every_reason, saying
from tests.standins.proxy import Asked, Forward, Told, at, proxied, replacing

ITEM = "routing"
CRITICAL = "BillingPaymentFailureRateCritical"
HIGH = "BillingPaymentFailureRateHigh"
STALLED = "StripeWebhooksStalled"
GRANT = "BillingCreditGrantAnomalyDetected"
ROUTES = '  routes:\n    - matchers: [component="billing", severity="critical"]'
REST_OF_MAIL = "        send_resolved: true\n        text: *mail\n"
WEBHOOK = "    webhook_configs: [{url: 'http://127.0.0.1:1/'}]\n"
ALWAYS = "time_intervals:\n  - name: always\n    time_intervals: [{years: ['2000:2099']}]\n"


def first(route: str) -> Edit:
    """An edit that puts a route before all others."""
    return replaced(ROUTES, ROUTES.replace("routes:\n", f"routes:\n    - {route}\n"))


def muted(text: str) -> str:
    changed = text.replace(
        "      group_wait: 5m\n", "      group_wait: 5m\n      mute_time_intervals: [always]\n"
    )
    return ALWAYS + changed


def in_ten_hours(text: str) -> str:
    """An interval of an hour mutes the info alerts, every day."""
    hour = (datetime.now(UTC) + timedelta(hours=10)).hour
    times = f"{{times: [{{start_time: '{hour:02}:00', end_time: '{hour + 1:02}:00'}}]}}"
    return muted(text).replace("{years: ['2000:2099']}", times)


def in_a_week(text: str) -> str:
    """An interval mutes the info alerts on one day of each month, seven days from now."""
    return muted(text).replace(
        "years: ['2000:2099']", f"days_of_month: ['{(datetime.now(UTC) + timedelta(days=7)).day}']"
    )


WRONG_WAY_ROUND = replaced(
    "inhibit_rules:\n",
    "inhibit_rules:\n"
    '  - source_matchers: [severity="warning"]\n'
    '    target_matchers: [severity="critical"]\n'
    "    equal: [component, subsystem]\n",
)


BREAKS: dict[str, tuple[Edit, str, str, str]] = {
    "shadowed by an earlier route": (
        first('{matchers: [severity="critical"], receiver: alerts}'),
        CRITICAL,
        "never reaches admin@rsolv.dev, billing-oncall@rsolv.dev, pagerduty",
        'billing-critical would reach them, but root → severity="critical" stands before it',
    ),
    "one of two people": (
        replaced(f"      - to: billing-oncall@rsolv.dev\n{REST_OF_MAIL}", ""),
        CRITICAL,
        "never reaches billing-oncall@rsolv.dev",
        "no receiver has billing-oncall@rsolv.dev",
    ),
    "misspelt": (
        replaced("- to: billing-oncall@rsolv.dev", "- to: billing-oncal@rsolv.dev"),
        CRITICAL,
        "never reaches billing-oncall@rsolv.dev",
        "billing-oncal@rsolv.dev is almost billing-oncall@rsolv.dev: is it misspelt?",
    ),
    "somebody else too": (
        first('{matchers: [severity="info"], receiver: billing-critical, continue: true}'),
        STALLED,
        "also reaches admin@rsolv.dev, billing-oncall@rsolv.dev, pagerduty",
        "billing-critical: email admin@rsolv.dev",
    ),
    "not the channel": (
        replaced("    pagerduty_configs:", f"{WEBHOOK}    pagerduty_configs:"),
        CRITICAL,
        "also reaches webhook",
        "webhook",
    ),
    "too late": (
        replaced("group_wait: 10s", "group_wait: 10m"), CRITICAL, "group_wait is 10 min, not 10s",
        "after 10 min",
    ),
    "too seldom": (
        replaced("repeat_interval: 2h", "repeat_interval: 2d"), CRITICAL, "repeat_interval is 2 d, not 2h",
        "again every 2 d",
    ),
    "a name before an address": (
        replaced("- to: alerts@rsolv.dev", '- to: "All of them <alerts@rsolv.dev>, x@y.z"'),
        STALLED, "also reaches x@y.z", "email x@y.z",
    ),
    "too late for the group": (
        replaced("group_interval: 5m", "group_interval: 3d"), CRITICAL,
        "is repeated every 3 d only, not every 2 h, and others of its group wait for that: "
        "its group_interval is 3 d",
        "the route ",
    ),
    "muted by a lesser one": (
        WRONG_WAY_ROUND, CRITICAL, f"goes silent while the less severe {HIGH} (warning) fires",
        'severity="warning" mutes severity="critical" where equal on component, subsystem',
    ),
    "muted now": (
        muted, STALLED, "notifies nobody now: muted by the time interval always", "and so it stays for ever",
    ),
}  # fmt: skip


async def test_passes_and_says_whom_each_reaches(here: Environment, verify: Verify) -> None:
    view = await verify(here, ITEM)
    assert (view.outcome, view.findings) == (Outcome.PASS, [])
    assert (
        "7 of 7 alerts reach whom they are meant for, when they are meant to: now, and by what" in view.text
    )
    paths = {seen.subject: seen.text for seen in view.seen if seen.subject}
    assert "email admin@rsolv.dev, email billing-oncall@rsolv.dev, pagerduty" in paths[CRITICAL]


@pytest.mark.parametrize("broken", BREAKS)
async def test_a_route_that_is_wrong(broken: str, lab: LabState, here: Environment, verify: Verify) -> None:
    edit, alert, summary, detail = BREAKS[broken]
    with alertmanager_config(lab, edit):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.FAIL
    of_it = {finding.summary: finding.detail for finding in view.findings if finding.subject == alert}
    assert detail in of_it[summary]


async def test_a_missing_continue_cuts_off_the_second_receiver(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    matchers, times = '[component="billing", severity="critical"]', "group_wait: 10s, repeat_interval: 2h"
    first_route = f"{{matchers: {matchers}, receiver: pager, {times}%s}}"
    receiver = "receivers:\n  - {name: pager, pagerduty_configs: [{routing_key: lab-billing-critical}]}\n"

    def edit(continued: str) -> Edit:
        return lambda text: first(first_route % continued)(text).replace("receivers:\n", receiver)

    with alertmanager_config(lab, edit(", continue: true")):
        well = await verify(here, ITEM)
    with alertmanager_config(lab, edit("")):
        broken = await verify(here, ITEM)
    assert CRITICAL not in {finding.subject for finding in well.findings}
    assert "never reaches admin@rsolv.dev, billing-oncall@rsolv.dev" in broken.text


@pytest.mark.parametrize(
    "matchers",
    [
        [("alertname", CRITICAL)],
        [("component", "billing"), ("severity", "critical")],
        [("job", "rsolv-platform"), ("severity", "critical")],
        [("environment", "lab"), ("severity", "critical")],
    ],
    ids=["its name", "its own labels", "a label of its series", "an external label"],
)
async def test_a_silence_in_force(
    matchers: list[tuple[str, str]], lab: LabState, here: Environment, verify: Verify
) -> None:
    with silence(lab, *matchers):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.FAIL
    assert {finding.subject for finding in view.findings} == {CRITICAL}
    written = ", ".join(f'{name}="{value}"' for name, value in matchers)
    assert view.findings[0].detail == f"the silence is on {written}"
    assert "by somebody: maintenance" in view.text


@pytest.mark.parametrize(
    ("begins_in", "outcome"),
    [(timedelta(hours=23), Outcome.FAIL), (timedelta(hours=25), Outcome.PASS)],
    ids=["tonight", "later"],
)
async def test_a_silence_to_come(
    begins_in: timedelta, outcome: Outcome, lab: LabState, here: Environment, verify: Verify
) -> None:
    with silence(lab, ("severity", "critical"), begins_in=begins_in):
        view = await verify(here, ITEM)
    assert view.outcome is outcome
    told = [said.summary for said in view.findings] or [said.text for said in view.seen if said.subject]
    begins = r"will be silenced from ....-..-.. ..:.. UTC until ....-..-.. ..:.. UTC by somebody: maintenance"
    assert any(re.fullmatch(begins, text) for text in told)


INFO = f'[[item.check.expected]]\nalerts = ["{STALLED}"]\nemail = ["alerts@rsolv.dev"]\n'
PAGED = (
    f'[[item.check.expected]]\nalerts = ["{CRITICAL}"]\nchannels = ["pagerduty"]\n'
    'email = ["admin@rsolv.dev", "billing-oncall@rsolv.dev"]\n'
)
MEANT = {
    "an interval": (
        in_ten_hours, INFO, r"will notify nobody from .*:00 UTC: muted by the time interval always",
        'time_intervals = ["always"]', "as is meant: muted by the time interval always",
    ),
    "a lesser alert": (
        WRONG_WAY_ROUND, PAGED, "goes silent while", f'inhibited_by = ["{HIGH}"]', "1 of 1 alerts reach",
    ),
    "repeated with the group": (
        BREAKS["too late for the group"][0], INFO,
        "is repeated every 3 d only, not every 12 h, and others of its group wait",
        'group_interval = "3d"', "news every 3 d",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MEANT)
async def test_what_is_meant_so_is_said_in_the_checklist(
    case: str, lab: LabState, here: Environment, verify: Verify
) -> None:
    edit, expected, finding, meant, seen = MEANT[case]
    with alertmanager_config(lab, edit):
        unsaid = await verify(here, check="routes_reach_people", settings=expected)
        said = await verify(here, check="routes_reach_people", settings=expected + meant)
    assert (unsaid.outcome, said.outcome) == (Outcome.FAIL, Outcome.PASS)
    assert re.search(finding, unsaid.text)
    assert any(seen in one.text for one in said.seen)


async def test_muted_for_ever_is_never_meant(lab: LabState, here: Environment, verify: Verify) -> None:
    with alertmanager_config(lab, muted):
        view = await verify(
            here, check="routes_reach_people", settings=f'{INFO}time_intervals = ["always"]\n'
        )
    assert view.outcome is Outcome.FAIL
    assert view.findings[0].summary == "notifies nobody now: muted by the time interval always"
    assert not any("as is meant" in one.text for one in view.seen)


async def test_an_interval_that_is_days_away_is_told(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with alertmanager_config(lab, in_a_week):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.PASS
    told = r"its time intervals do not mute it before .* UTC: always"
    assert {one.subject for one in view.seen if re.fullmatch(told, one.text)} == {STALLED, GRANT}


async def test_a_silence_on_something_else_does_not_disturb(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with silence(lab, ("job", "another"), ("severity", "critical")):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.PASS


async def test_inhibited_by_an_alert_that_fires(lab: LabState, here: Environment, verify: Verify) -> None:
    labels = {"component": "billing", "subsystem": "payment", "severity": "critical"}
    with firing(lab, alertname="SomethingCritical", **labels):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.FAIL
    assert [(finding.subject, finding.summary) for finding in view.findings] == [
        (HIGH, "is inhibited now by SomethingCritical, which fires")
    ]
    assert view.findings[0].detail.endswith("where equal on component, subsystem")


async def test_a_reload_that_was_refused(lab: LabState, here: Environment, verify: Verify) -> None:
    edit = replaced("receiver: billing-info", "receiver: biling-info")
    with alertmanager_config(lab, edit, accepted=False):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.FAIL
    assert [finding.summary for finding in view.findings] == [
        "the last reload of alertmanager.yml was refused: the configuration before it still runs"
    ]


@pytest.mark.parametrize(
    ("separate", "outcome"), [([], Outcome.FAIL), (["replica:9093"], Outcome.PASS)], ids=["apart", "meant so"]
)
async def test_prometheus_sends_to_two(
    separate: list[str], outcome: Outcome, lab: LabState, here: Environment, verify: Verify
) -> None:
    replica = '"activeAlertmanagers":[{"url":"http://replica:9093/api/v2/alerts"},'
    two = replacing('"activeAlertmanagers":[', replica, "/alertmanagers")
    with proxied(lab.prometheus_url, two) as url:
        settings = {"separate_alertmanagers": separate}
        view = await verify(changed(here, prometheus_url=url, settings=settings), ITEM)
    assert view.outcome is outcome
    assert ("sends to 2 Alertmanagers, and this one is in no cluster" in view.text) is (not separate)


async def test_alerts_carry_their_external_labels(here: Environment, verify: Verify) -> None:
    elsewhere = changed(here, settings={"external_labels": {"environment": "production", "region": "eu"}})
    view = await verify(elsewhere, "routing")
    assert view.outcome is Outcome.FAIL
    said = [finding.summary.partition(" without ") for finding in view.findings]
    assert {words for words, _, _ in said} == {"7 alerts leave Prometheus"}
    assert [label for _, _, label in said] == [
        'environment="production", with environment="lab" instead',
        'region="eu"',
    ]
    right = changed(here, settings={"external_labels": {"environment": "lab"}})
    assert (await verify(right, "routing")).outcome is Outcome.PASS


async def test_nobody_sees_an_alertmanager_that_is_down(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    counted = b'prometheus_notifications_sent_total{alertmanager="URL/api/v2/alerts"} 9\n'
    counted += counted.replace(b"sent", b"errors") + b"prometheus_notifications_dropped_total 9\n"
    told = Told(200, counted).saying("URL", lab.alertmanager_url)
    theirs = {"alertmanager_seen_by_prometheus": lab.alertmanager_url}
    with proxied(lab.prometheus_url, at("/metrics", lambda _: told)) as url:
        there = changed(here, prometheus_url=url, settings=theirs)
        async with blinded(there, "alertmanager_url", "nobody") as blind:
            view = await verify(blind, ITEM)
    assert view.outcome is Outcome.FAIL
    assert (
        f"Prometheus sent 9 alerts to {lab.alertmanager_url}/api/v2/alerts, and none was taken" in view.text
    )


async def test_a_rule_that_is_not_loaded_is_not_routed(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with rule_file(lab, replaced(f"alert: {GRANT}", "alert: Other")):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.FAIL
    assert view.text == f"{GRANT}: no such alert rule is loaded, so nothing is routed"


def relabelling(*steps: str) -> Edit:
    """An edit that has Prometheus relabel the alerts that it sends."""
    listed = "".join(f"    - {step}\n" for step in steps)
    return replaced("alerting:\n", f"alerting:\n  alert_relabel_configs:\n{listed}")


RELABELLED = {
    "dropped": (
        "{source_labels: [severity], regex: critical, action: drop}",
        (CRITICAL, "is dropped by alert_relabel_configs before it leaves Prometheus"),
    ),
    "rewritten": (
        "{source_labels: [severity], regex: critical, target_label: severity, replacement: info}",
        (CRITICAL, "never reaches admin@rsolv.dev, billing-oncall@rsolv.dev, pagerduty"),
    ),
}


@pytest.mark.parametrize("broken", RELABELLED)
async def test_an_alert_relabelled_before_it_is_sent(
    broken: str, lab: LabState, here: Environment, verify: Verify
) -> None:
    step, finding = RELABELLED[broken]
    with prometheus_config(lab, relabelling(step)):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.FAIL
    assert finding in [(one.subject, one.summary) for one in view.findings]
    assert {one.subject for one in view.findings} == {CRITICAL}


async def test_relabelling_that_cannot_be_told_here_is_no_guess(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    greek = r"{source_labels: [severity], regex: '\p{Greek}+', action: drop}"
    with prometheus_config(lab, relabelling(greek)):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert "alert_relabel_configs of Prometheus" in view.text


ALWAYS_FIRING = """
  - name: somewhere-else
    rules:
      - {alert: Always, expr: vector(1), labels: {severity: warning, component: billing, subsystem: payment}}
"""
STEPS = (
    "{target_label: n_hash, source_labels: [severity, subsystem], modulus: 7, action: hashmod}",
    "{target_label: n_$1, source_labels: [component, job], regex: '(b.+);(.*)', replacement: '${2}$1x$$'}",
    "{target_label: both, source_labels: [component, severity], separator: '', replacement: '$1'}",
    "{target_label: severity, replacement: ''}",
    "{target_label: none, source_labels: [nothing], regex: '', replacement: 'was empty'}",
    "{target_label: upper, source_labels: [component], action: uppercase}",
    "{regex: sub(.+), replacement: mapped_$1, action: labelmap}",
    "{regex: subsystem, action: labeldrop}",
    "{target_label: environment, source_labels: [environment], action: keepequal}",
)


async def test_relabelled_as_the_real_prometheus_does(lab: LabState) -> None:
    def received() -> Any:
        held = ask(f"{lab.alertmanager_url}/api/v2/alerts")
        return [one["labels"] for one in held if "n_hash" in one["labels"]]

    with prometheus_config(lab, relabelling(*STEPS)), rule_file(lab, lambda text: text + ALWAYS_FIRING):
        eventually(received, "the alert is in Alertmanager, at the latest when it is sent again", 90.0)
        told = yaml.safe_load(ask(f"{lab.prometheus_url}/api/v1/status/config")["data"]["yaml"])
        outgoing = msgspec.convert(told, Running).outgoing("")
        rule = next(rule for rule in rules(lab) if rule["name"] == "Always")
        assert received() == [outgoing.sent({**rule["labels"], "alertname": "Always"})]


def _known(lab: LabState) -> list[str]:
    found = ask(f"{lab.prometheus_url}/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
    return [one["url"] for one in found]


async def test_prometheus_talks_to_no_alertmanager(lab: LabState, here: Environment, verify: Verify) -> None:
    address = lab.alertmanager_url.removeprefix("http://")
    with prometheus_config(lab, replaced(f'["{address}"]', "[]")):
        eventually(lambda: not _known(lab), "Prometheus forgets Alertmanager")
        view = await verify(here, ITEM)
    eventually(lambda: _known(lab), "Prometheus knows Alertmanager again")
    assert view.outcome is Outcome.FAIL
    assert "Prometheus knows no Alertmanager" in view.text


async def test_a_reload_leaves_time_to_find_alertmanager_again(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    def long_ago(told: Told) -> Told:
        return replace(told, body=re.sub(rb'("startTime":")\d{4}', rb"\g<1>2020", told.body))

    edit = replaced("    - static_configs:\n", "    - timeout: 9s\n      static_configs:\n", 1)
    with proxied(lab.prometheus_url, at("/runtimeinfo", long_ago)) as url, prometheus_config(lab, edit):
        view = await verify(changed(here, prometheus_url=url), ITEM)
    eventually(lambda: _known(lab), "Prometheus knows Alertmanager again")
    assert view.outcome is Outcome.PASS


async def test_prometheus_speaks_another_scheme(lab: LabState, here: Environment, verify: Verify) -> None:
    https = replaced("    - static_configs:\n", "    - scheme: https\n      static_configs:\n", 1)
    with prometheus_config(lab, https):
        eventually(lambda: _known(lab)[0:1] == [f"https{lab.alertmanager_url[4:]}/api/v2/alerts"], "https")
        view = await verify(here, ITEM)
    eventually(lambda: _known(lab) == [f"{lab.alertmanager_url}/api/v2/alerts"], "http again")
    assert view.outcome is Outcome.FAIL
    assert f"Prometheus sends to https{lab.alertmanager_url[4:]}/api/v2/alerts" in view.text


async def test_alertmanager_takes_nothing_from_prometheus(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    def login(asked: Asked, forward: Forward) -> Told:
        return Told(401, b"") if asked.method == "POST" else forward()

    def failed() -> bool:
        text = urlopen(f"{lab.prometheus_url}/metrics", timeout=60).read().decode()
        counted = re.findall(rf'prometheus_notifications_errors_total{{alertmanager="{url}/.*}} (.*)', text)
        return bool(counted) and float(counted[0]) > 0

    address = lab.alertmanager_url.removeprefix("http://")
    with proxied(lab.alertmanager_url, login) as url, prometheus_config(lab, replaced(address, url[7:])):
        eventually(lambda: _known(lab) == [f"{url}/api/v2/alerts"], "Prometheus knows the other one")
        with rule_file(lab, lambda text: text + ALWAYS_FIRING):
            eventually(failed, "an alert was sent in vain", 90.0)
            theirs = {"alertmanager_seen_by_prometheus": url}
            view = await verify(changed(here, settings=theirs), ITEM)
    eventually(lambda: _known(lab) == [f"{lab.alertmanager_url}/api/v2/alerts"], "the right one is known")
    assert view.outcome is Outcome.FAIL
    assert view.text.startswith("Prometheus sent ")
    assert view.text.endswith(f"alerts to {url}/api/v2/alerts, and none was taken")


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        (Told(404, b"not here"), "whether alerts get there was not looked at"),
        (
            Told(
                200,
                b'prometheus_notifications_sent_total{alertmanager="URL/api/v2/alerts"} 90\n'
                b'prometheus_notifications_errors_total{alertmanager="URL/api/v2/alerts"} 2\n'
                b"prometheus_notifications_dropped_total 2\n",
            ),
            "2 errors in sending to ",
        ),
    ],
    ids=["not to be seen", "an old error"],
)
async def test_what_does_not_prove_that_alerts_are_lost(
    told: Told, seen: str, lab: LabState, here: Environment, verify: Verify
) -> None:
    metrics = at("/metrics", lambda _: told.saying("URL", lab.alertmanager_url))
    with proxied(lab.prometheus_url, metrics) as url:
        view = await verify(changed(here, prometheus_url=url), ITEM)
    assert view.outcome is Outcome.PASS
    assert seen in view.text


async def test_prometheus_talks_to_an_api_that_is_gone(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with proxied(lab.prometheus_url, replacing("/api/v2/alerts", "/api/v1/alerts", "/alertmanagers")) as url:
        view = await verify(changed(here, prometheus_url=url), ITEM)
    assert view.outcome is Outcome.FAIL
    assert "API v1" in view.text


async def test_prometheus_may_know_it_by_another_name(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with proxied(lab.alertmanager_url, lambda asked, forward: forward()) as url:
        unsaid = await verify(changed(here, alertmanager_url=url), ITEM)
        theirs = {"alertmanager_seen_by_prometheus": lab.alertmanager_url}
        said = await verify(changed(here, alertmanager_url=url, settings=theirs), ITEM)
        wrong = {"alertmanager_seen_by_prometheus": "http://elsewhere:9093"}
        another = await verify(changed(here, alertmanager_url=url, settings=wrong), ITEM)
    assert unsaid.outcome is Outcome.UNKNOWN
    assert "alertmanager_seen_by_prometheus" in unsaid.text
    assert said.outcome is Outcome.PASS
    assert another.outcome is Outcome.FAIL


async def test_a_clock_an_hour_off_tells_nothing_of_now(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    def late(asked: Asked, forward: Forward) -> Told:
        told = forward()
        return Told(told.status, told.body, {**told.headers, "date": "Mon, 01 Jan 2024 00:00:00 GMT"})

    with proxied(lab.alertmanager_url, late) as url:
        theirs = {"alertmanager_seen_by_prometheus": lab.alertmanager_url}
        view = await verify(changed(here, alertmanager_url=url, settings=theirs), ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert "behind ours" in view.text


@every_reason
@pytest.mark.parametrize("server", ["prometheus", "alertmanager"])
async def test_unknown_without_its_servers(
    server: str, reason: str, here: Environment, verify: Verify
) -> None:
    async with blinded(here, f"{server}_url", reason) as blind:
        view = await verify(blind, ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text
