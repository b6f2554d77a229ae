"""The whole lab on the real servers: up, healthy, delivering, and gone without a trace."""

import asyncio
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from opsconsole.errors import LabError, MissingServer
from opsconsole.lab import parts, processes, stack, state
from opsconsole.lab.servers import Pair
from opsconsole.lab.state import STATE_FILE, LabState, Member, labs, load

T = TypeVar("T")

BOUND_SECONDS = 120.0

STARTER = """
import asyncio, sys, time
from opsconsole.lab import stack
print(asyncio.run(stack.start(sys.argv[1], *sys.argv[2:])).folder, flush=True)
if sys.argv[1] == "foreground":
    time.sleep(600)
"""


def until(look: Callable[[], T], what: str) -> T:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + BOUND_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, f"not seen: {what}"
        time.sleep(0.05)
    return found


def get(url: str, **parameters: str) -> Any:
    return httpx.get(url, params=parameters, timeout=60).raise_for_status().json()


def value(lab: LabState, expression: str, **parameters: str) -> float | None:
    """The value of an expression with one result or none."""
    data = get(f"{lab.prometheus_url}/api/v1/query", query=expression, **parameters)["data"]["result"]
    return float(data[0]["value"][1]) if data else None


def messages(lab: LabState, run: str, **wanted: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(f"{lab.inbox_url}/messages", run=run, **wanted)
    return found


def post_alert(lab: LabState, **alert: Any) -> None:
    httpx.post(f"{lab.alertmanager_url}/api/v2/alerts", json=[alert], timeout=60).raise_for_status()


@pytest.fixture
def own_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Labs are founded here, apart from all others of this user."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def anything_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def started_elsewhere(owner: str, pair: Pair) -> tuple[subprocess.Popen[str], LabState]:
    """A lab, and the process that started it."""
    command = [sys.executable, "-c", STARTER, owner, pair.prometheus, pair.alertmanager]
    starter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    return starter, load(Path(starter.stdout.readline().strip()))


def test_the_chosen_versions_are_running(lab: LabState, pair: Pair) -> None:
    info = get(f"{lab.prometheus_url}/api/v1/status/buildinfo")["data"]
    assert info["version"].startswith(pair.prometheus + ".")
    status = get(f"{lab.alertmanager_url}/api/v2/status")
    assert status["versionInfo"]["version"].startswith(pair.alertmanager + ".")


def test_the_lab_is_private_and_on_loopback(lab: LabState) -> None:
    assert stat.S_IMODE(lab.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((lab.folder / "state.json").stat().st_mode) == 0o600
    assert load(lab.folder) == lab
    for secret in (lab.api_key, lab.webhook_secret, lab.grafana_token, lab.grafana_reader_token):
        assert secret
        assert secret not in repr(lab)
    for member in lab.members:
        assert not [address for address in listening(member.pid) if address != "0100007F"]


def listening(pid: int) -> list[str]:
    """The local addresses (hexadecimal, see proc(5)) on which a process listens."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile; one that listens stays
            sockets.add(str(descriptor.readlink()))
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return [row[1].split(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]


def test_prometheus_scrapes_the_service_and_no_alert_is_active(lab: LabState) -> None:
    until(lambda: value(lab, 'up{job="rsolv-platform"} == 1'), "the first scrape")
    until(lambda: value(lab, "min(scrape_samples_scraped) > 200"), "all series in a scrape")
    rules = get(f"{lab.prometheus_url}/api/v1/rules")["data"]["groups"]
    states = {rule["name"]: rule["state"] for group in rules for rule in group["rules"]}
    assert len(states) == 7
    assert set(states.values()) == {"inactive"}


def test_history_reaches_back_and_joins_the_live_series(lab: LabState) -> None:
    now = time.time()
    for days in (15, 8, 1):
        assert value(lab, "count(rsolv_billing_usage_tracked_total)", time=str(now - days * 86_400)) == 3
    until(lambda: value(lab, 'up{job="rsolv-platform"}'), "the first scrape")
    until(lambda: value(lab, "min(scrape_samples_scraped) > 200"), "all series in a scrape")
    assert value(lab, 'count(count by (job, instance) ({__name__=~"rsolv_billing_.*"}))') == 1


def test_retention_is_fifteen_days(lab: LabState) -> None:
    flags = get(f"{lab.prometheus_url}/api/v1/status/flags")["data"]
    assert flags["storage.tsdb.retention.time"] == "15d"


@pytest.mark.parametrize(
    ("severity", "people", "channels"),
    [
        ("critical", {"admin@rsolv.dev", "billing-oncall@rsolv.dev"}, {"email", "pagerduty"}),
        ("warning", {"admin@rsolv.dev", "alerts@rsolv.dev"}, {"email", "slack"}),
        ("info", {"alerts@rsolv.dev"}, {"email"}),
    ],
)
def test_a_drill_arrives_at_once_and_is_resolved(
    lab: LabState, severity: str, people: set[str], channels: set[str]
) -> None:
    run = f"run-{severity}-{time.time_ns()}"
    labels = {"alertname": "Drill", "component": "billing", "severity": severity, "opsconsole_run": run}
    expected = len(people) + len(channels) - 1
    post_alert(lab, labels=labels, annotations={"summary": "a drill"})
    until(lambda: len(messages(lab, run)) == expected, "the drill, everywhere")
    arrived = messages(lab, run)
    assert {message["channel"] for message in arrived} == channels
    assert {address for message in messages(lab, run, channel="email") for address in message["to"]} == people
    ended = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    post_alert(lab, labels=labels, startsAt="2020-01-01T00:00:00Z", endsAt=ended)
    until(lambda: len(messages(lab, run)) == 2 * expected, "its resolution, everywhere")


def test_a_refused_webhook_is_seen_in_prometheus(lab: LabState) -> None:
    expression = (
        'rsolv_billing_stripe_webhook_failed_total{event_type="test",failure_reason="invalid_signature"}'
    )
    until(lambda: value(lab, "up"), "the first scrape")
    before = value(lab, expression) or 0.0
    headers = {"stripe-signature": "t=invalid,v1=invalid"}
    url = f"{lab.service_url}/api/webhooks/stripe"
    assert httpx.post(url, json={"type": "test"}, headers=headers, timeout=60).status_code == 400
    until(lambda: value(lab, expression) == before + 1, "the counter, one higher")


async def test_after_the_end_nothing_is_left(own_place: Path, pair: Pair) -> None:
    async with stack.running(pair.prometheus, pair.alertmanager) as lab:
        assert {member.name for member in lab.members if member.running} == set(parts.PARTS)
        assert lab.folder.is_relative_to(own_place)
    assert not [member for member in lab.members if member.running]
    assert not anything_in(own_place)


async def test_a_start_that_is_cancelled_while_its_history_comes_leaves_nothing(
    own_place: Path, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied, removed_whole = shutil.copytree, state.remove_folder
    begun, removed = threading.Event(), threading.Event()

    def copied_later(*arguments: Any, **options: Any) -> Any:
        if not begun.is_set():
            begun.set()
            removed.wait(1.0)
        return copied(*arguments, **options)

    def removed_first(folder: Path) -> None:
        removed_whole(folder)
        removed.set()

    monkeypatch.setattr("shutil.copytree", copied_later)
    monkeypatch.setattr("opsconsole.lab.stack.remove_folder", removed_first)
    starting = asyncio.create_task(stack.start("foreground", pair.prometheus, pair.alertmanager))
    await asyncio.to_thread(begun.wait, BOUND_SECONDS)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await asyncio.get_running_loop().shutdown_default_executor()
    assert not anything_in(own_place)


def test_a_foreground_lab_dies_with_its_killed_starter(own_place: Path, pair: Pair) -> None:
    starter, lab = started_elsewhere("foreground", pair)
    assert stack.clear_leftovers() == []  # its starter lives
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    until(lambda: not [member for member in lab.members if member.running], "the end of all its processes")
    assert stack.clear_leftovers() == [lab.folder]
    assert not anything_in(own_place)


def test_a_kept_lab_outlives_its_starter_until_it_is_stopped(own_place: Path, pair: Pair) -> None:
    starter, lab = started_elsewhere("kept", pair)
    starter.wait()
    assert all(member.running for member in lab.members)
    assert stack.clear_leftovers() == []
    assert state.kept() == lab
    stack.stop(lab)
    assert not [member for member in lab.members if member.running]
    assert state.kept() is None
    assert not anything_in(own_place)


def test_what_a_killed_starter_of_a_kept_lab_left_is_ended(own_place: Path, pair: Pair) -> None:
    starter, lab = started_elsewhere("kept", pair)
    starter.wait()
    object.__setattr__(lab, "ready", False)  # as if it had been killed before all was ready
    lab.save()
    assert stack.clear_leftovers() == [lab.folder]
    assert not [member for member in lab.members if member.running]


def test_a_lab_of_another_version_is_left_alone(own_place: Path) -> None:
    folder = own_place / "opsconsole" / "lab-other"
    folder.mkdir(parents=True)
    myself = processes.identity(os.getpid())
    assert myself
    lab = LabState(
        owner="foreground", folder=folder, starter=Member("starter", *myself), started_at=time.time()
    )
    lab.save()
    kept = json.loads((folder / STATE_FILE).read_text())
    del kept["amtool"]
    (folder / STATE_FILE).write_text(json.dumps({**kept, "later": "unknown here"}))
    os.utime(folder, (time.time() - 3600,) * 2)
    assert load(folder) == lab
    assert stack.clear_leftovers() == []


def test_a_folder_that_is_just_being_founded_is_left_alone(own_place: Path) -> None:
    young, old = own_place / "opsconsole" / "lab-young", own_place / "opsconsole" / "lab-old"
    young.mkdir(parents=True)
    old.mkdir()
    os.utime(old, (time.time() - 3600,) * 2)
    assert stack.clear_leftovers() == [old]
    assert young.exists()


async def test_a_server_that_does_not_start_leaves_nothing(
    own_place: Path, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = stack.component
    broken = {"alertmanager.yml": "route: none\n"}
    monkeypatch.setattr(stack, "component", lambda name: broken.get(name) or shipped(name))
    with pytest.raises(LabError, match="alertmanager ended early"):
        await stack.start("foreground", pair.prometheus, pair.alertmanager)
    assert not anything_in(own_place)


async def test_a_version_that_is_nowhere_is_told(own_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(*_: object, **__: object) -> None:
        raise MissingServer("no Prometheus 0.1 to be had")

    monkeypatch.setattr(stack, "find", find)
    with pytest.raises(MissingServer):
        await stack.start("foreground", "0.1")
    assert not anything_in(own_place)


def test_a_folder_open_to_others_is_refused(own_place: Path) -> None:
    (own_place / "opsconsole").mkdir()
    (own_place / "opsconsole").chmod(0o777)
    with pytest.raises(LabError, match="somebody else could read"):
        asyncio.run(stack.start("foreground"))


def test_the_command_line_keeps_one_lab(own_place: Path, pair: Pair) -> None:
    def lab(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-c", "from opsconsole.cli import main; main()", "lab", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        return done.returncode, done.stdout + done.stderr

    versions = ("--prometheus-version", pair.prometheus, "--alertmanager-version", pair.alertmanager)
    assert lab("status")[0] == 2
    try:
        code, told = lab("up", *versions)
        assert (code, "The lab is up." in told) == (0, True)
        assert "The lab is up already" in lab("up")[1]
        assert f"Prometheus {pair.prometheus}" in lab("status")[1]
        inbox = next(member for state in labs() for member in state.members if member.name == "inbox")
        os.kill(inbox.pid, signal.SIGTERM)
        until(lambda: not inbox.running, "the end of the inbox")
        assert lab("status") == (1, lab("status")[1])
        assert "Ended: inbox" in lab("status")[1]
    finally:
        assert lab("down") == (0, "The lab is down.\n")
    assert lab("down") == (0, "No lab was up.\n")
    assert not anything_in(own_place)
