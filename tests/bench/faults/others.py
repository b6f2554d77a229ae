"""What other tools find of a fault: promtool check, amtool check-config, amlint, and a plain HTTP checklist.

A tool has found a fault when it complains of the broken lab in words with which it does not complain of the
whole one. It can see a fault at all where something that it reads has changed: its file, its exposition, or,
for the checklist, anything that is asked over HTTP.
"""

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from opsconsole.lab import state
from opsconsole.lab.incidents import INCIDENTS
from opsconsole.lab.state import LabState
from tests.bench.faults.bench import BOUND_SECONDS, Bench

AMLINT = str(Path(sys.executable).with_name("amlint"))
REQUEST_SECONDS = 10.0


@dataclass(frozen=True)
class Look:
    """What one tool saw of the lab: `read` is what it judges by, `complaints` are its lines."""

    read: str
    complaints: frozenset[str]


Looks = dict[str, Look]


def look(made: Bench, *, drill: bool = False, whole: bool = False) -> Looks:
    """What each tool says of the lab as it is now. One that is `whole` passes the checklist, as soon as it is
    steady."""
    lab = state.load(made.lab_folder(drill=drill))
    passed = {"HTTP checklist": Look("", frozenset())} if whole else {}
    return passed | {name: tool(lab) for name, tool in TOOLS.items() if name not in passed}


def found(before: Looks, after: Looks) -> dict[str, str]:
    """By tool: `found`, `not found`, or `-` where it reads nothing that has changed."""
    said = {}
    for name, now in after.items():
        if now.complaints - before[name].complaints:
            said[name] = "found"
        else:
            said[name] = "-" if now.read == before[name].read else "not found"
    return said


def _promtool(lab: LabState) -> Look:
    files = (lab.prometheus_config_path, lab.rules_path)
    read = "".join(path.read_text() for path in files if path.exists())
    said = _said([lab.promtool, "check", "config", lab.prometheus_config_path])
    exposition = ""
    with suppress(OSError):
        exposition = _get(lab.metrics_url)[1]
    said |= _said([lab.promtool, "check", "metrics"], exposition)
    return Look(read + _names(exposition), said)


def _names(exposition: str) -> str:
    """An exposition without the values of its samples and labels, which change by themselves."""
    lines = (re.sub(r'="[^"]*"', "=", line) for line in exposition.splitlines())
    return "\n".join(sorted({line if line.startswith("#") else line.rpartition(" ")[0] for line in lines}))


def _amtool(lab: LabState) -> Look:
    path = lab.alertmanager_config_path
    return Look(path.read_text(), _said([lab.amtool, "check-config", path]))


def _amlint(lab: LabState) -> Look:
    path = lab.alertmanager_config_path
    return Look(path.read_text(), _said([AMLINT, "check", path]))


def _said(argv: list[str | Path], given: str = "") -> frozenset[str]:
    """The lines in which a command complains; none where it found nothing."""
    done = subprocess.run(
        argv, input=given, capture_output=True, text=True, timeout=BOUND_SECONDS, check=False
    )
    lines = {_without_numbers(line) for line in (done.stdout + done.stderr).splitlines() if line.strip()}
    return frozenset({*lines, f"exit {done.returncode}"})


def _without_numbers(line: str) -> str:
    return re.sub(r"\d+", "0", line.strip())


def _checklist(lab: LabState) -> Look:
    """What a careful person would write down for goss or a shell script: addresses, statuses, words."""
    failed = {what for what, holds in _wanted(lab) if not _holds(holds)}
    return Look("anything", frozenset(failed))


def _wanted(lab: LabState) -> Iterator[tuple[str, Callable[[], bool]]]:
    for what, url, words in (
        ("prometheus is ready", f"{lab.prometheus_url}/-/ready", ()),
        ("the target is up", f"{lab.prometheus_url}/api/v1/targets", ('"health":"up"',)),
        ("an alertmanager is known", f"{lab.prometheus_url}/api/v1/alertmanagers", ("/api/v2/alerts",)),
        ("the rules are loaded", f"{lab.prometheus_url}/api/v1/rules?type=alert", _ALERTS),
        ("alertmanager is ready", f"{lab.alertmanager_url}/-/ready", ()),
        ("its routes are there", f"{lab.alertmanager_url}/api/v2/status", _PEOPLE),
        ("grafana is well", f"{lab.grafana_url}/api/health", ('"ok"',)),
        ("the dashboard is there", f"{lab.grafana_url}/api/dashboards/uid/billing-metrics", _PANELS),
        ("the service is well", f"{lab.service_url}/health/billing", ('"ok"',)),
        ("its metrics are there", lab.metrics_url, _FAMILIES),
        ("the mailbox is there", f"{lab.inbox_url}/health", ('"ok"',)),
    ):
        yield what, lambda url=url, words=words: _answers(url, words, lab.grafana_token)  # type: ignore[misc]
    yield "a bad webhook is refused", lambda: _get(f"{lab.service_url}/api/webhooks/stripe", b"{}")[0] == 400
    yield "the mail server listens", lambda: _listens(lab.smtp_address)


_ALERTS = tuple(INCIDENTS)
_PEOPLE = ("admin@rsolv.dev", "billing-oncall@rsolv.dev", "alerts@rsolv.dev")
_PANELS = ("Subscription Creation Rate", "Payment Success Rate", "Credit System Overview")
_FAMILIES = ("rsolv_billing_subscription_created_total", "rsolv_billing_payment_processed_total",
             "rsolv_billing_stripe_webhook_received_total", "rsolv_billing_usage_tracked_total",
             "rsolv_billing_credits_added_total")  # fmt: skip


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except OSError:
        return False


def _answers(url: str, words: tuple[str, ...], token: str) -> bool:
    status, text = _get(url, token=token)
    return status == 200 and all(word in text for word in words)


def _get(url: str, body: bytes | None = None, token: str = "") -> tuple[int, str]:
    headers = {"stripe-signature": "t=1,v1=bad", "authorization": f"Bearer {token}"}
    try:
        with urlopen(Request(url, body, headers), timeout=REQUEST_SECONDS) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except HTTPError as error:
        return error.code, ""


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=REQUEST_SECONDS):
        return True


TOOLS: dict[str, Callable[[LabState], Look]] = {
    "promtool check": _promtool,
    "amtool check-config": _amtool,
    "amlint": _amlint,
    "HTTP checklist": _checklist,
}
