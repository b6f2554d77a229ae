"""What a run that was cut off has left is taken back; what it did not do, and what somebody does, is not."""

import json
from typing import Any

import pytest

from opsconsole.alive import me
from opsconsole.model import EffectEnded, Outcome
from opsconsole.store import new_run_id
from tests.checks.breaking import ask, eventually
from tests.standins.console import NAME, Console

METHODS = "/api/v1/billing/payment-methods"


def alert(run: str, name: str = "Left") -> dict[str, str]:
    return {"alertname": name, "component": "billing", "severity": "info", "opsconsole_run": run}


def post(console: Console, labels: dict[str, str]) -> None:
    ask(
        f"{console.lab.alertmanager_url}/api/v2/alerts",
        [{"labels": labels, "annotations": {"summary": "DRILL"}}],
    )
    eventually(lambda: labels in held(console), "Alertmanager holds it")


def held(console: Console) -> list[dict[str, str]]:
    return [one["labels"] for one in ask(f"{console.lab.alertmanager_url}/api/v2/alerts")]


def left_alert(console: Console, **more: Any) -> dict[str, str]:
    """A run that was cut off while it had a test alert; returns the alert's labels."""
    labels = alert(new_run_id())
    told = {"kind": "test_alert", "url": console.lab.alertmanager_url, **more}
    console.leave(told.pop("kind"), run=labels["opsconsole_run"], labels=json.dumps(labels), **told)
    return labels


def service(console: Console, path: str, body: Any = None, method: str = "") -> Any:
    return ask(f"{console.lab.service_url}{path}", body, method=method, token=console.lab.api_key)


def attached(console: Console, run: str) -> list[str]:
    return [one["id"] for one in service(console, f"{METHODS}?opsconsole_run={run}")["data"]]


def left_on_service(console: Console, kind: str, **more: Any) -> str:
    return console.leave(kind, **{"run": new_run_id(), "url": console.lab.service_url, **more})


def only_item(console: Console) -> tuple[Outcome | None, str]:
    (item,) = console.view().items.values()
    return item.outcome, item.text


def test_a_test_alert_is_resolved_and_struck_off_in_its_own_run(console: Console) -> None:
    labels, others = left_alert(console), alert("20261122-0000-else")
    post(console, labels)
    post(console, others)
    done = console.run("cleanup")
    assert done.returncode == 0, done.stdout + done.stderr
    assert labels not in held(console)
    assert others in held(console)
    end = console.entries(labels["opsconsole_run"])[-1].event
    assert isinstance(end, EffectEnded)
    view = console.view()
    assert view.start
    assert (view.start.kind, only_item(console)[0]) == ("cleanup", Outcome.PASS)
    assert view.start.run in end.how
    (item,) = view.items.values()
    assert {exchange.method for exchange in item.exchanges} == {"GET", "POST"}
    assert console.left() == []
    again = console.run("cleanup")
    assert (again.returncode, again.stdout) == (0, "")
    assert "nothing to clean" in again.stderr
    assert "whole" in console.run("runs", "verify").stdout


def test_what_was_announced_and_never_done_is_not_undone(console: Console) -> None:
    labels = left_alert(console)
    post(console, {**labels, "opsconsole_run": "another"})
    post(console, {**labels, "more": "than was sent"})
    done = console.run("cleanup")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {labels["alertname"]} <= {one["alertname"] for one in held(console)}
    assert {**labels, "more": "than was sent"} in held(console)
    (item,) = console.view().items.values()
    assert [exchange.method for exchange in item.exchanges] == ["GET"]
    assert console.left() == []


def test_an_alert_of_an_older_opsconsole_is_found(console: Console) -> None:
    labels = left_alert(console, kind="", url="", process="")
    post(console, labels)
    assert console.run("cleanup").returncode == 0
    assert labels not in held(console)


def test_an_alert_without_the_mark_of_a_run_is_never_ended(console: Console) -> None:
    real = {"alertname": "Real", "component": "billing"}
    post(console, real)
    console.leave("test_alert", url=console.lab.alertmanager_url, labels=json.dumps(real))
    done = console.run("cleanup")
    assert done.returncode == 3
    assert only_item(console)[0] is Outcome.UNKNOWN
    assert real in held(console)


def test_a_server_that_is_away_leaves_it_open(console: Console) -> None:
    labels = left_alert(console)
    post(console, labels)
    console.configured(alertmanager="http://127.0.0.1:1")
    done = console.run("cleanup")
    assert done.returncode == 3, done.stdout + done.stderr
    outcome, said = only_item(console)
    assert outcome is Outcome.UNKNOWN
    assert "127.0.0.1:1" in said
    assert len(console.left()) == 1
    console.configured()
    assert console.run("cleanup").returncode == 0
    assert (console.left(), labels in held(console)) == ([], False)


def test_an_environment_that_is_named_no_more_leaves_it_open(console: Console) -> None:
    left_alert(console)
    console.configured(name="another")
    assert console.run("cleanup").returncode == 3
    assert f"no environment '{NAME}'" in only_item(console)[1]
    assert len(console.left()) == 1


def test_a_protected_environment_needs_no_consent(console: Console) -> None:
    labels = left_alert(console)
    post(console, labels)
    console.configured(protected=True)
    assert console.run("cleanup").returncode == 0
    assert labels not in held(console)


def test_what_a_living_console_does_is_left_alone(console: Console) -> None:
    labels = left_alert(console, process=me())
    post(console, labels)
    done = console.run("cleanup")
    assert (done.returncode, done.stdout) == (0, "")
    assert "the console that does it still runs" in done.stderr
    assert labels in held(console)
    assert len(console.left()) == 1


def test_what_was_done_on_another_host_needs_its_run_to_be_named(console: Console) -> None:
    labels = left_alert(console, process="1:1@far-away")
    post(console, labels)
    done = console.run("cleanup")
    assert done.returncode == 0
    assert "done on far-away" in done.stderr
    assert labels in held(console)
    assert console.run("cleanup", "--run", labels["opsconsole_run"]).returncode == 0
    assert labels not in held(console)


def test_what_was_in_a_lab_is_gone_with_the_lab(console: Console) -> None:
    console.leave("paused_webhooks", environment="lab", url="http://127.0.0.1:1")
    done = console.run("cleanup")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the lab is gone" in only_item(console)[1]
    assert console.left() == []


def test_a_lab_that_still_runs_is_found_by_its_address(console: Console) -> None:
    labels = left_alert(console, environment="lab")
    post(console, labels)
    done = console.run("cleanup", "--env", "lab")
    assert done.returncode == 0, done.stdout + done.stderr
    assert labels not in held(console)


def test_payment_methods_of_the_run_are_removed_and_no_others(console: Console) -> None:
    ours, others = left_on_service(console, "payment_methods"), "20261122-0000-else"
    for run in (ours, ours, others):
        body = {"stripe_payment_method_id": "pm_card_visa", "metadata": {"opsconsole_run": run}}
        service(console, METHODS, body)
    done = console.run("cleanup")
    assert done.returncode == 0, done.stdout + done.stderr
    assert only_item(console)[1].endswith("2 payment methods removed, the list is empty")
    assert (attached(console, ours), len(attached(console, others))) == ([], 1)


def test_paused_webhooks_are_let_in_again(console: Console) -> None:
    left_on_service(console, "paused_webhooks")
    service(console, "/lab/state", {"webhooks": False, "lease_seconds": 600})
    done = console.run("cleanup")
    assert done.returncode == 0, done.stdout + done.stderr
    assert service(console, "/lab/state")["webhooks"] is True
    assert console.left() == []


def test_webhooks_that_arrive_are_left_as_they_are(console: Console) -> None:
    left_on_service(console, "paused_webhooks")
    assert console.run("cleanup").returncode == 0
    (item,) = console.view().items.values()
    assert [exchange.method for exchange in item.exchanges] == ["GET"]


@pytest.mark.parametrize("whose", ["a living console's", "another service's"])
def test_a_pause_that_may_be_another_ones_stays(console: Console, whose: str) -> None:
    if whose == "a living console's":
        left_on_service(console, "paused_webhooks")
        left_on_service(console, "paused_webhooks", process=me())
    else:
        left_on_service(console, "paused_webhooks", url="http://127.0.0.1:1")
    service(console, "/lab/state", {"webhooks": False, "lease_seconds": 600})
    try:
        assert console.run("cleanup").returncode == 3
        assert service(console, "/lab/state")["webhooks"] is False
        assert console.left()
    finally:
        service(console, "/lab/state", {"webhooks": True})


def test_requests_are_struck_off_without_asking_anybody(console: Console) -> None:
    left_on_service(console, "requests")
    assert console.run("cleanup").returncode == 0
    (item,) = console.view().items.values()
    assert item.exchanges == []
    assert console.left() == []


def test_a_kind_of_a_newer_opsconsole_stays(console: Console) -> None:
    left_on_service(console, "flooded_basement")
    assert console.run("cleanup").returncode == 3
    assert "does not know how to take back 'flooded_basement'" in only_item(console)[1]
    assert len(console.left()) == 1


def test_a_live_key_is_refused_here_too(console: Console) -> None:
    left_on_service(console, "payment_methods")
    toml = console.folder / "opsconsole.toml"
    toml.write_text(toml.read_text().replace("env:CONSOLE_API_KEY", f"file:{console.folder}/key"))
    (console.folder / "key").write_text("sk_live_" + "a1" * 12)
    done = console.run("cleanup")
    assert (done.returncode, done.stdout) == (2, "")
    assert "live Stripe key" in done.stderr
    assert len(console.left()) == 1


def test_only_what_is_named_is_cleaned(console: Console) -> None:
    first, second = (left_on_service(console, "requests") for _ in range(2))
    left_on_service(console, "requests", environment="lab")
    assert console.run("cleanup", "--run", first).returncode == 0
    assert {one.run for one in console.left()} != {first}
    assert len(console.left()) == 2
    assert console.run("cleanup", "--env", "lab").returncode == 0
    assert [one.run for one in console.left()] == [second]
    assert console.run("cleanup", "--run", "20200101").returncode == 2


def test_json_is_nothing_but_events(console: Console) -> None:
    left_on_service(console, "requests")
    done = console.run("cleanup", "--json")
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert kinds == ["RunStarted", "ItemStarted", "ItemFinished", "RunFinished"]


def test_any_later_command_tells_of_it_and_leaves_its_output_alone(console: Console) -> None:
    run = left_on_service(console, "requests")
    quiet = console.run("runs", "list", "--json")
    told = (
        f"opsconsole: run {run} left something in effect: requests of a test: opsconsole cleanup --records "
    )
    assert quiet.stderr.startswith(told)
    assert [one["run"] for one in json.loads(quiet.stdout)] == [run]
    assert told in console.run("runs", "show", "nothing").stderr
    assert told not in console.run("cleanup").stderr
    assert console.run("runs", "list").stderr == ""


def test_several_runs_are_told_of_in_few_lines(console: Console) -> None:
    for _ in range(5):
        left_on_service(console, "requests")
    lines = console.run("runs", "list").stderr.splitlines()
    assert len(lines) == 4
    assert lines[-1].startswith("opsconsole: 2 more runs left something in effect: opsconsole cleanup")


def test_of_a_console_that_lives_nothing_is_told(console: Console) -> None:
    left_on_service(console, "requests", process=me())
    assert console.run("runs", "list").stderr == ""


def test_records_that_are_not_there_or_cannot_be_read_are_no_matter(console: Console) -> None:
    listed = console.run("runs", "list")
    assert "there are no records yet" in listed.stderr
    assert "Traceback" not in listed.stderr
    assert not console.records.exists()
    console.records.write_text(
        "these are no records at all, but a text that is long enough to be taken for one"
    )
    broken = console.run("runs", "list")
    assert broken.returncode == 2
    assert broken.stderr.count("opsconsole:") == 1


def test_two_who_clean_at_once_do_no_harm(console: Console) -> None:
    labels = left_alert(console)
    post(console, labels)
    with console.begun("cleanup") as one, console.begun("cleanup") as other:
        codes = [process.wait(timeout=120) for process in (one, other)]
    assert set(codes) == {0}
    assert labels not in held(console)
    assert console.left() == []
    assert "whole" in console.run("runs", "verify").stdout
