"""The real command killed at some moment, what it showed until then, and what is left after `cleanup`."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from opsconsole.reports.json import json_line
from tests.checks.breaking import ask
from tests.standins.console import NAME, Console


@dataclass(frozen=True)
class Killed:
    """A run that was killed: the lines of JSON that it had shown, and what of it was in effect then."""

    shown: tuple[str, ...]
    left: tuple[str, ...]


def killed(console: Console, *arguments: str, after_seconds: float, since: str = "") -> Killed:
    """Run the command on the lab, and end it by SIGKILL so long after its first line that has `since` in it;
    it may be over before."""
    process = subprocess.Popen(
        console.argv(*arguments, "--env", NAME, "--json"), env=console.variables, cwd=console.folder,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout
    seen = ""
    for text in process.stdout:
        seen += text
        if since in text:
            break
    try:
        rest, _ = process.communicate(timeout=after_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        rest, _ = process.communicate(timeout=600)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 0)
        raise AssertionError("a process of the killed command is left")
    whole = [text for text in (seen + rest).splitlines(keepends=True) if text.endswith("\n")]
    return Killed(tuple(whole), tuple(one.begun.what for one in console.left()))


def wrong(console: Console, before: dict[str, Any], run: Killed) -> Iterator[str]:
    """Clean up, and tell what is not as it should be then; `before` is the service's state of before."""
    cleaned = console.run("cleanup")
    if cleaned.returncode != 0:
        yield f"cleanup: exit {cleaned.returncode}: {cleaned.stdout}{cleaned.stderr}"
    yield from not_recorded(console, run.shown)
    if left := console.left():
        yield f"still open: {left}"
    yield from left_on_servers(console, before)


def not_recorded(console: Console, shown: Sequence[str]) -> Iterator[str]:
    """What was shown and is not in the records."""
    if not shown:
        return
    kept = [json.loads(json_line(entry)) for entry in console.entries(json.loads(shown[0])["run"])]
    for text in shown:
        told = json.loads(text)
        if told["number"] > len(kept) or kept[told["number"] - 1] != told:
            yield f"shown and not recorded: {text}"


def left_on_servers(console: Console, before: dict[str, Any]) -> Iterator[str]:
    """Test alerts, silences, test objects, and a service that is not as it was."""
    lab = console.lab
    if marked := ask(f"{lab.alertmanager_url}/api/v2/alerts?filter=opsconsole_run!%3D%22%22"):
        yield f"test alerts: {marked}"
    silences = ask(f"{lab.alertmanager_url}/api/v2/silences")
    if active := [one for one in silences if one["status"]["state"] != "expired"]:
        yield f"silences: {active}"
    if (now := state(console)) != before:
        yield f"the service's state was {before}, and is {now}"
    objects = ask(f"{lab.service_url}/api/v1/billing/payment-methods", token=lab.api_key)["data"]
    if objects:
        yield f"test objects: {objects}"


def state(console: Console) -> dict[str, Any]:
    """How the service behaves; what it counts is not of it."""
    told: dict[str, Any] = ask(f"{console.lab.service_url}/lab/state", token=console.lab.api_key)
    return {name: value for name, value in told.items() if name != "events"}
