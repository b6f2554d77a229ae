"""Doors that are closed again, a lab of real servers, and a Prometheus whose rules and targets are odd."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opsconsole.clients.http import Endpoint, Http
from opsconsole.lab import processes, stack
from opsconsole.lab.servers import Pair, Servers
from opsconsole.model import Exchange
from opsconsole.secrets import MadeUp

OpenDoor = Callable[..., Http]

ODD_CONFIG = """
global: {scrape_interval: 200ms, evaluation_interval: 200ms}
rule_files: [rules.yml]
scrape_configs:
- {job_name: gone, static_configs: [{targets: ["127.0.0.1:1"]}]}
alerting: {alertmanagers: [{static_configs: [{targets: ["127.0.0.1:1"]}]}]}
"""

ODD_RULES = """
groups:
- name: odd
  rules:
  - {alert: Fires, expr: 'vector(1)', labels: {severity: info}, annotations: {summary: 'is {{ $value }}'}}
  - {alert: Waits, expr: 'vector(1)', for: 1h30m, keep_firing_for: 5m}
  - {alert: Rests, expr: 'vector(1) > 2', for: 15m}
  - {record: 'odd:sum', expr: 'sum(vector(1))'}
  - alert: Breaks
    expr: |
      (label_replace(vector(1), "a", "1", "", "") or label_replace(vector(1), "a", "2", "", ""))
      * on() (label_replace(vector(1), "a", "1", "", "") or label_replace(vector(1), "a", "2", "", ""))
"""


@pytest.fixture
def recorded() -> list[Exchange]:
    """What the doors of this test recorded."""
    return []


@pytest.fixture
async def open_door(recorded: list[Exchange]) -> AsyncIterator[OpenDoor]:
    """Doors to servers by URL, closed at the end."""
    doors = []

    def opened(
        url: str, *, server: str = "server", token: str = "", timeout_seconds: float = 60.0, **settings: Any
    ) -> Http:
        secret = MadeUp("lab:token", token) if token else None
        endpoint = Endpoint(url, token=secret, timeout_seconds=timeout_seconds, **settings)
        door = Http(server, endpoint, recorded.append)
        doors.append(door)
        return door

    yield opened
    for door in doors:
        await door.close()


@pytest.fixture(scope="session")
def lab(pair: Pair) -> Iterator[stack.LabState]:
    """A whole lab of the chosen versions."""
    state = asyncio.run(stack.start("foreground", pair.prometheus, pair.alertmanager))
    yield state
    stack.stop(state)


@pytest.fixture(scope="session")
def odd_prometheus(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Prometheus with a dead target, and rules that fire, wait, rest, record and break."""
    folder: Path = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text(ODD_CONFIG)
    (folder / "rules.yml").write_text(ODD_RULES)
    with processes.free_ports(1) as (port,):
        process = processes.spawn(
            [
                servers.prometheus,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            log=folder / "log",
            die_with_parent=True,
        )
        asyncio.run(processes.wait_ready(f"http://127.0.0.1:{port}/-/ready", process))
    yield f"http://127.0.0.1:{port}"
    process.stop()
