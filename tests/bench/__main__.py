"""`make bench`: prints every figure of the speed goals, each beside what it is measured against."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from opsconsole.lab import stack
from opsconsole.lab.environment import JOB, reference_rules
from opsconsole.lab.processes import free_ports
from opsconsole.lab.state import LabState
from opsconsole.model import Exchange, Exchanged
from opsconsole.store import open_records
from tests.bench import rivals
from tests.bench.backtest import backtests
from tests.bench.drill import drills
from tests.bench.killed import kills
from tests.bench.rehearsal import rehearsals
from tests.bench.screen import first_paint, warm_in_the_screen
from tests.bench.timing import in_turn, table

READ_ONLY = ("scraping", "plugin", "retention", "dashboard", "panels", "rules", "thresholds", "routing")
OPSCONSOLE = str(Path(sys.executable).with_name("opsconsole"))
DELAY_SECONDS = 0.05
TOML = """
[env.{name}]
prometheus = "{prometheus}"
alertmanager = "{alertmanager}"
grafana = {{ url = "{grafana}", token = "env:BENCH_GRAFANA_TOKEN", dashboard = "billing-metrics" }}
service = {{ url = "{service}", metrics = "{service}/metrics", job = "{job}" }}
inbox = {{ kind = "lab", url = "{inbox}" }}
rules = "{rules}"
sign_off = {{ thresholds = "a measurement" }}
[env.{name}.settings]
alertmanager_seen_by_prometheus = "{near_alertmanager}"
"""


def main() -> None:
    """Print the figures. The lab is started for it and stopped at the end."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        print(table("start", in_turn(_starts(), runs=11), beside="empty Python"), flush=True)
        print(first_paint(), flush=True)
        print(rehearsals(), flush=True)
        lab, seconds = _started()
        print(
            f"lab, warm: answers after {seconds:.2f} s, first scrape after {_scraped(lab):.2f} s", flush=True
        )
        try:
            _compare(lab, folder)
            print(backtests(lab.prometheus_url), flush=True)
        finally:
            stack.stop(lab)
    print(drills(), flush=True)
    print(kills(), flush=True)


def _starts() -> dict[str, list[str]]:
    return {"empty Python": [sys.executable, "-c", "pass"], "opsconsole --help": [OPSCONSOLE, "--help"]}


def _started() -> tuple[LabState, float]:
    asyncio.run(_once())
    began = time.perf_counter()
    return asyncio.run(stack.start("kept")), time.perf_counter() - began


async def _once() -> None:
    """So that servers and history are in the cache."""
    async with stack.running():
        pass


def _scraped(lab: LabState) -> float:
    import urllib.request

    began, deadline = time.perf_counter(), time.perf_counter() + 30
    while time.perf_counter() < deadline:
        with urllib.request.urlopen(f"{lab.prometheus_url}/api/v1/targets") as answer:
            if b'"health":"up"' in answer.read():
                break
        time.sleep(0.02)
    return time.perf_counter() - began


def _compare(lab: LabState, folder: Path) -> None:
    exchanges = _recorded(lab, folder)
    os.environ["BENCH_GRAFANA_TOKEN"] = lab.grafana_token
    records = ["--records", str(folder / "bench.db")]
    selected = [part for item in READ_ONLY for part in ("-k", item)]
    print(f"{len(exchanges)} requests, {len(READ_ONLY)} items that change nothing")
    verify = [OPSCONSOLE, "verify", "--env", "lab", "--plain", *selected, *records]
    _print("read-only part of verify --env lab --plain", verify, exchanges, folder)
    with _far_away(lab) as urls:
        config = folder / "opsconsole.toml"
        rules = reference_rules()
        config.write_text(
            TOML.format(name="far", job=JOB, rules=rules, near_alertmanager=lab.alertmanager_url, **urls)
        )
        far = [_moved(exchange, lab, urls) for exchange in exchanges]
        verify = [
            OPSCONSOLE,
            "verify",
            "--config",
            str(config),
            "--env",
            "far",
            "--plain",
            *selected,
            *records,
        ]
        _print("the same with 50 ms added to every answer", verify, far, folder)
        print(warm_in_the_screen(config, "far", READ_ONLY, folder / "warm.db", 2 * DELAY_SECONDS), flush=True)


def _print(title: str, verify: list[str], exchanges: list[Exchange], folder: Path) -> None:
    chaos_home = (
        Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "opsconsole/bench/chaostoolkit"
    )
    commands = {
        "bare httpx, all at once": rivals.httpx_script(exchanges, folder),
        "opsconsole": verify,
        "shell script, curl and jq": rivals.shell_script(exchanges, folder),
        "chaostoolkit experiment": rivals.chaos_experiment(exchanges, folder, chaos_home),
    }
    there = {name: argv for name, argv in commands.items() if argv}
    print(table(title, in_turn(there), beside="bare httpx, all at once"))
    for name in commands.keys() - there.keys():
        print(f"  {name}: not to be had here")
    if not shutil.which("goss"):
        print("  goss: not on the PATH, and in no package registry that is reached", flush=True)


def _recorded(lab: LabState, folder: Path) -> list[Exchange]:
    """What one run really sent, with the lab's secrets put back in."""
    path = folder / "once.db"
    selected = [part for item in READ_ONLY for part in ("-k", item)]
    subprocess.run(
        [OPSCONSOLE, "verify", "--plain", *selected, "--records", str(path)], check=True, capture_output=True
    )
    records = open_records(path)
    entries = list(records.entries(records.find("last")))
    records.close()
    sent = [
        e.event.exchange for e in entries if isinstance(e.event, Exchanged) and not e.event.exchange.repeats
    ]
    return [replace(exchange, request_headers=_revealed(exchange.request_headers, lab)) for exchange in sent]


def _revealed(headers: dict[str, str], lab: LabState) -> dict[str, str]:
    return {
        name: value.replace("{{lab:GRAFANA_TOKEN}}", lab.grafana_token) for name, value in headers.items()
    }


@contextmanager
def _far_away(lab: LabState) -> Iterator[dict[str, str]]:
    """The lab's servers behind a delay; yields their URLs by name."""
    names = ("prometheus", "alertmanager", "grafana", "service", "inbox")
    with free_ports(len(names)) as held:
        ports = list(held)
    ways = [f"{here}:{urlsplit(getattr(lab, f'{n}_url')).port}" for n, here in zip(names, ports, strict=True)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.delay", str(DELAY_SECONDS), *ways], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield {name: f"http://127.0.0.1:{port}" for name, port in zip(names, ports, strict=True)}
    finally:
        process.terminate()
        process.wait()


def _moved(exchange: Exchange, lab: LabState, urls: dict[str, str]) -> Exchange:
    url = exchange.url
    for name, far in urls.items():
        url = url.replace(getattr(lab, f"{name}_url"), far)
    return replace(exchange, url=url)


main()
