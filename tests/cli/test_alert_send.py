"""A test alert from the command line: its way is told before, each hop is seen, and it is taken back."""

import json
import re
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from urllib.parse import quote

import pytest

from opsconsole.model import HopReached, Observed, Outcome, Waiting
from tests.checks.breaking import alertmanager_config, ask, eventually, replaced, silence
from tests.standins.console import NAME, Console
from tests.standins.proxy import Asked, Forward, Told, proxied

HERE = ("--env", NAME)
ALL_HOPS = ["cause", "alertmanager", "receiver", "delivered", "resolved", "notice", "clean"]
GUIDES = {"alertname": "BillingTestAlert", "component": "billing", "severity": "info"}


def held(console: Console, **labels: str) -> list[dict[str, str]]:
    matchers = "&".join(
        f"filter={quote(f'{n}={json.dumps(v, ensure_ascii=False)}')}" for n, v in labels.items()
    )
    return [alert["labels"] for alert in ask(f"{console.lab.alertmanager_url}/api/v2/alerts?{matchers}")]


def hops(console: Console) -> list[str]:
    return [e.event.hop.value for e in console.entries() if isinstance(e.event, HopReached)]


def test_the_guides_alert_is_followed_to_the_mailbox_and_back(console: Console) -> None:
    done = console.run("alert", "send", *HERE)
    assert done.returncode == 0, done.stdout + done.stderr
    view = console.view()
    (item,) = view.items.values()
    assert view.start
    run = view.start.run
    assert (view.start.kind, item.summary.id, item.outcome) == (
        "alert-send",
        "BillingTestAlert",
        Outcome.PASS,
    )
    assert [hop.value for hop in item.hops] == ALL_HOPS
    assert item.plan
    assert item.plan.recipients == ("email alerts@rsolv.dev",)
    assert item.plan.labels == {**GUIDES, "opsconsole_run": run}
    assert not view.open_effects
    assert held(console, opsconsole_run=run) == []
    mails = ask(f"{console.lab.inbox_url}/messages?run={run}")
    assert ["RESOLVED" in mail["subject"] for mail in mails] == [False, True]
    assert "DRILL: nothing needs doing. Test billing alert" in mails[0]["body"]
    lines = done.stdout.splitlines()
    assert lines[-1].startswith("1 PASS in")
    assert [line for line in lines if line.startswith("PASS      BillingTestAlert")]
    places = [
        next(n for n, line in enumerate(lines) if word in line) for word in ("  way ", "curl -sS", "  cause ")
    ]
    assert places == sorted(places)


def test_json_is_nothing_but_events(console: Console) -> None:
    done = console.run(
        "alert", "send", *HERE, "--json", "alertname=A", "severity=warning", "component=billing"
    )
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["event"]["kind"] == "alert-send"
    assert [one["event"]["hop"] for one in events if one["kind"] == "HopReached"] == ALL_HOPS
    (delivered,) = [one["event"] for one in events if one["event"].get("hop") == "delivered"]
    assert {"email admin@rsolv.dev", "email alerts@rsolv.dev", "slack #billing-alerts"} <= set(
        re.split(r", |: ", delivered["evidence"])
    )


ODD = {
    "alertname": 'It\'s "odd", = yes',
    "path": 'a "b" \\c $HOME',
    "component": "billing",
    "severity": "info",
}


@pytest.mark.parametrize("form", ["curl", "amtool"])
def test_the_lines_to_copy_send_the_same(console: Console, form: str) -> None:
    done = console.run("alert", "send", *HERE, *(f"{name}={value}" for name, value in ODD.items()))
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = [
        e.event.seen.text
        for e in console.entries()
        if isinstance(e.event, Observed) and e.event.seen.subject == form
    ]
    assert line in done.stdout
    path = f"{console.lab.amtool.parent}:/usr/bin:/bin"
    copied = subprocess.run(
        ["bash", "-c", line], env={"PATH": path, "HOME": "/"}, capture_output=True, text=True
    )
    assert copied.returncode == 0, copied.stderr
    eventually(lambda: held(console, path=ODD["path"]) == [ODD], "the copied line has sent the alert")
    ended = {"labels": ODD, "endsAt": "2020-01-01T00:00:01Z", "startsAt": "2020-01-01T00:00:00Z"}
    ask(f"{console.lab.alertmanager_url}/api/v2/alerts", [ended])
    eventually(lambda: not held(console, path=ODD["path"]), "it is gone")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["alertname"], "'alertname' is no label: there is no = in it"),
        (["severity=info"], "an alert needs a name"),
        (["alertname=A", "alertname=B"], "the label 'alertname' is there twice"),
        (["alertname=A", "severity="], "the label 'severity' is empty"),
        (["alertname=A", "no-name=x"], "'no-name' is no name of a label"),
        (["alertname=A", "=x"], "'' is no name of a label"),
        (["alertname=A", "opsconsole_run=x"], "the mark of the run"),
        (["alertname=A", "--annotation", "summary"], "'summary' is no annotation"),
        (["alertname=A", "--allow-effects", "production"], "--allow-effects names 'production'"),
    ],
    ids=["no-sign", "no-name", "twice", "empty", "bad-name", "nameless", "mark", "annotation", "consent"],
)
def test_bad_input_is_told_and_sends_nothing(console: Console, words: list[str], said: str) -> None:
    done = console.run("alert", "send", *HERE, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not console.records.exists()


def test_a_protected_environment_must_be_named_twice(console: Console) -> None:
    console.configured(protected=True)
    refused = console.run("alert", "send", *HERE)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"--allow-effects {NAME}" in refused.stderr
    allowed = console.run("alert", "send", *HERE, "--allow-effects", NAME)
    assert allowed.returncode == 0, allowed.stdout + allowed.stderr


def nobody(console: Console) -> AbstractContextManager[None]:
    email = (
        "    email_configs:\n      - to: alerts@rsolv.dev\n        send_resolved: true\n        text: *mail\n"
    )
    return alertmanager_config(
        console.lab, replaced(f"  - name: billing-info\n{email}", "  - name: billing-info\n")
    )


def astray(console: Console) -> AbstractContextManager[None]:
    route = '        - matchers: [opsconsole_run!=""]\n'
    return alertmanager_config(console.lab, replaced(route, f"{route}          receiver: alerts\n"))


@pytest.mark.parametrize(
    ("broken", "because"),
    [
        (lambda console: silence(console.lab, ("severity", "info")), "is silenced until"),
        (nobody, "which notifies nobody"),
        (astray, "it would go to alerts, and one without the mark to billing-info"),
    ],
    ids=["silenced", "nobody", "astray"],
)
def test_what_would_not_arrive_is_not_sent(
    console: Console, broken: Callable[[Console], AbstractContextManager[None]], because: str
) -> None:
    with broken(console):
        done = console.run("alert", "send", *HERE)
    assert done.returncode == 1, done.stdout + done.stderr
    (item,) = console.view().items.values()
    assert item.missed
    assert (item.missed.hop.value, item.outcome) == ("receiver", Outcome.FAIL)
    assert because in item.missed.because
    assert hops(console) == []
    assert "POST" not in {exchange.method for exchange in item.exchanges}


@pytest.mark.parametrize("server", ["alertmanager", "inbox"])
def test_what_cannot_be_seen_is_unknown(console: Console, server: str) -> None:
    console.configured(**{server: "http://127.0.0.1:1"})  # type: ignore[arg-type]
    done = console.run("alert", "send", *HERE)
    assert done.returncode == 3, done.stdout + done.stderr
    (item,) = console.view().items.values()
    assert item.outcome is Outcome.UNKNOWN
    assert hops(console) == []


def test_the_wait_of_a_route_counts_down(console: Console) -> None:
    now = '        - matchers: [opsconsole_run!=""]\n          group_by: [alertname, opsconsole_run]\n'
    with alertmanager_config(
        console.lab, replaced(f"{now}          group_wait: 0s", f"{now}          group_wait: 2s")
    ):
        done = console.run("alert", "send", *HERE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "first after 2 s" in done.stdout
    waits = [e.event for e in console.entries() if isinstance(e.event, Waiting)]
    assert [wait.within_seconds for wait in waits if "the message to" in wait.what] == [2.0]


def test_what_no_mailbox_shows_is_signed_by_a_person(console: Console) -> None:
    toml = console.folder / "opsconsole.toml"
    toml.write_text(toml.read_text().replace("inbox =", "#"))
    done = console.run("alert", "send", *HERE)
    assert done.returncode == 3, done.stdout + done.stderr
    (item,) = console.view().items.values()
    assert item.outcome is Outcome.SIGN_OFF
    assert "alerts@rsolv.dev" in item.question
    assert "receiver" in hops(console)
    assert "delivered" not in hops(console)


def test_interrupted_it_takes_the_alert_back(console: Console) -> None:
    wait = '        - matchers: [opsconsole_run!=""]\n          group_by: [alertname, opsconsole_run]\n'
    with (
        alertmanager_config(
            console.lab, replaced(f"{wait}          group_wait: 0s", f"{wait}          group_wait: 5m")
        ),
        console.begun("alert", "send", *HERE) as process,
    ):
        assert process.stdout
        for line in process.stdout:
            if "  alertmanager  " in line:
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "interrupted: taking back what was done" in errors
    view = console.view()
    assert not view.open_effects
    assert view.start
    assert held(console, opsconsole_run=view.start.run) == []


def test_interrupted_twice_it_leaves_at_once_and_says_what_is_left(console: Console) -> None:
    posted, ending, released = threading.Event(), threading.Event(), threading.Event()

    def slow(asked: Asked, forward: Forward) -> Told:
        if asked.method == "POST":
            if posted.is_set():
                ending.set()
                released.wait(120)
            posted.set()
        return forward()

    with proxied(console.lab.alertmanager_url, slow) as url:
        console.configured(alertmanager=url)
        with console.begun("alert", "send", *HERE) as process:
            assert posted.wait(120)
            process.send_signal(signal.SIGINT)
            assert ending.wait(120)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=120)
        released.set()
    assert process.returncode == 130
    assert "STILL IN EFFECT: a test alert BillingTestAlert in Alertmanager" in errors
    console.configured()
    assert console.run("cleanup").returncode == 0
    assert console.left() == []
