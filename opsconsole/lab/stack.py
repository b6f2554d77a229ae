"""The whole lab, up and down: billing service, inbox, Grafana stand-in, Alertmanager and Prometheus.

Everything listens on 127.0.0.1, lives in one private folder and is gone without a trace afterwards. A lab
is ready when its processes answer; Prometheus' first scrape comes about five seconds later, and its
history is there from the start.

A drill lab runs fast: scrapes and evaluations ten times a second, the rules and the routes with their
durations shortened by one rule (see `shortening`), and traffic 50 times as dense, so that the shortened
windows hold events enough. It has no history. It is ready when it is calm.
"""

import asyncio
import os
import secrets
import shutil
import string
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from opsconsole.clients.reference import Reference
from opsconsole.errors import LabError
from opsconsole.lab import calm, history, incidents, past, processes, relocate, shortening
from opsconsole.lab.servers import Servers, find
from opsconsole.lab.state import LabState, Member, Owner, clear_leftovers, new_folder, remove_folder

__all__ = ["LabState", "clear_leftovers", "running", "start", "stop"]

Progress = Callable[[str], None]

SEED = 1
COMPONENTS = ("prometheus.yml", "billing-alerts.yml", "alertmanager.yml", "billing_dashboard.json")
SHORTENED = {"billing-alerts.yml": shortening.shorten_rules, "alertmanager.yml": shortening.shorten_routes}
PARTS = ("service", "inbox", "grafana", "alertmanager", "prometheus")
RETENTION = "15d"
DRILL_PACE = 50

_own: dict[Path, list[processes.Process]] = {}
"""The processes of the labs that this process has started, by the lab's folder."""


async def start(
    owner: Owner = "foreground",
    prometheus_version: str | None = None,
    alertmanager_version: str | None = None,
    on_progress: Progress | None = None,
    *,
    drill: bool = False,
    incident: bool = False,
) -> LabState:
    """Start a lab and return when all its processes answer; with `drill` a drill lab, when it is calm; with
    `incident` a drill lab whose rules are as they are, and whose history has an incident for each of them.

    A version is a prefix such as `3.5`. What an earlier, killed run has left is cleared first. Raises
    MissingServer where there is no server to be had, and LabError where one does not start; then nothing of
    this lab is left.
    """
    tell = on_progress or (lambda _: None)
    await asyncio.to_thread(clear_leftovers)
    servers = await asyncio.to_thread(find, prometheus_version, alertmanager_version, on_progress=tell)
    lab = _founded(owner, servers, drill=drill or incident, incident=incident)
    try:
        with processes.free_ports(len(PARTS) + 1) as ports:
            lab = _addressed(lab, ports)
            _write_components(lab)
            lab = await _started(lab, servers, tell)
    except BaseException:
        stop(lab)
        raise
    return lab


def stop(lab: LabState) -> None:
    """End the lab's processes and remove its folder. A lab that has ended already is no error."""
    if (own := _own.pop(lab.folder, None)) is not None:
        processes.stop(own)
    else:
        processes.end((member.pid, member.start_ticks) for member in lab.members)
    remove_folder(lab.folder)


@asynccontextmanager
async def running(
    prometheus_version: str | None = None,
    alertmanager_version: str | None = None,
    on_progress: Progress | None = None,
    *,
    drill: bool = False,
    incident: bool = False,
) -> AsyncIterator[LabState]:
    """A lab for the length of a block."""
    lab = await start(
        "foreground", prometheus_version, alertmanager_version, on_progress, drill=drill, incident=incident
    )
    try:
        yield lab
    finally:
        await asyncio.to_thread(stop, lab)


def _founded(owner: Owner, servers: Servers, *, drill: bool, incident: bool) -> LabState:
    myself = processes.identity(os.getpid())
    if myself is None:
        raise LabError("this system does not tell about processes", where="/proc")
    lab = LabState(
        owner=owner,
        folder=new_folder(),
        starter=Member("starter", *myself),
        started_at=time.time(),
        api_key=f"lab_{secrets.token_urlsafe(18)}",
        webhook_secret=f"whsec_{secrets.token_urlsafe(24)}",
        grafana_token=f"glsa_{secrets.token_urlsafe(24)}",
        grafana_reader_token=f"glsa_{secrets.token_urlsafe(24)}",
        prometheus_version=servers.prometheus_version,
        alertmanager_version=servers.alertmanager_version,
        promtool=servers.promtool,
        amtool=servers.amtool,
        drill=drill,
        incident=incident,
    )
    lab.save()
    _own[lab.folder] = []
    return lab


def _addressed(lab: LabState, ports: list[int]) -> LabState:
    smtp, *others = ports
    urls = {f"{part}_url": f"http://127.0.0.1:{port}" for part, port in zip(PARTS, others, strict=True)}
    addresses: dict[str, Any] = {**urls, "smtp_address": f"127.0.0.1:{smtp}"}
    return replace(lab, **addresses)


def _write_components(lab: LabState) -> None:
    values = {
        "service_address": _address(lab.service_url),
        "alertmanager_address": _address(lab.alertmanager_url),
        "inbox_url": lab.inbox_url,
        "smtp_address": lab.smtp_address,
        "instance": past.INSTANCE,
        "interval": f"{shortening.SCRAPE_SECONDS * 1000:.0f}ms" if lab.drill else "1s",
    }
    for name in COMPONENTS:
        text = component(name)
        if name in ("prometheus.yml", "alertmanager.yml"):
            text = string.Template(text).substitute(values)
        if lab.drill and name in SHORTENED and not (lab.incident and name == lab.rules_path.name):
            text = SHORTENED[name](text)
        (lab.folder / name).write_text(text, encoding="utf-8")
    shutil.copy(lab.rules_path, lab.reference_rules_path)


def component(name: str) -> str:
    """The text of a component as it is shipped, for example `billing-alerts.yml`."""
    return (files("opsconsole.lab") / "components" / name).read_text(encoding="utf-8")


async def _started(lab: LabState, servers: Servers, tell: Progress) -> LabState:
    tell("starting the billing service, the inbox, the Grafana stand-in and Alertmanager")
    commands = _commands(lab, servers)
    prometheus = commands.pop("prometheus")
    spawned = {name: _spawn(lab, name, command) for name, command in commands.items()}
    data = lab.folder / "prometheus"
    if lab.incident:
        rules = Reference(lab.rules_path).rules()
        await asyncio.to_thread(incidents.provide, data, servers.promtool, rules, time.time())
    elif not lab.drill:
        await asyncio.to_thread(history.provide, data, servers.promtool, seed=SEED, on_progress=tell)
    tell("starting Prometheus")
    spawned["prometheus"] = _spawn(lab, "prometheus", prometheus)
    await asyncio.gather(*(processes.wait_ready(url, spawned[name]) for name, url in _health_urls(lab)))
    if lab.drill and not lab.incident:
        tell("waiting until the drill lab is calm (about 5 s)")
        await calm.wait(lab.prometheus_url)
    return _record(lab, ready=True)


def _spawn(lab: LabState, name: str, argv: list[str | Path]) -> processes.Process:
    process = processes.spawn(
        argv,
        name=name,
        log=lab.log_folder / f"{name}.log",
        env={**os.environ, **_secrets(lab)},
        die_with_parent=lab.owner == "foreground",
    )
    _own[lab.folder].append(process)
    _record(lab)
    return process


def _record(lab: LabState, *, ready: bool = False) -> LabState:
    members = tuple(Member(process.name, *process.identity) for process in _own[lab.folder])
    lab = replace(lab, members=members, ready=ready)
    lab.save()
    return lab


def _secrets(lab: LabState) -> Mapping[str, str]:
    return {
        "OPSCONSOLE_LAB_API_KEY": lab.api_key,
        "OPSCONSOLE_LAB_WEBHOOK_SECRET": lab.webhook_secret,
        "OPSCONSOLE_LAB_GRAFANA_TOKEN": lab.grafana_token,
        "OPSCONSOLE_LAB_GRAFANA_READER_TOKEN": lab.grafana_reader_token,
    }


def _commands(lab: LabState, servers: Servers) -> dict[str, list[str | Path]]:
    return {
        "service": _python(
            "service", lab.service_url, "--seed", str(SEED), "--pace", str(DRILL_PACE if lab.drill else 1)
        ),
        "inbox": _python("inbox", lab.inbox_url, "--smtp-port", lab.smtp_address.rpartition(":")[2]),
        "grafana": _python(
            "grafana",
            lab.grafana_url,
            "--prometheus",
            lab.prometheus_url,
            "--dashboard",
            str(lab.dashboard_path),
        ),
        "alertmanager": [
            *relocate.command(servers.alertmanager),
            f"--config.file={lab.alertmanager_config_path}",
            f"--storage.path={lab.folder / 'alertmanager'}",
            f"--web.listen-address={_address(lab.alertmanager_url)}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ],
        "prometheus": [
            servers.prometheus,
            f"--config.file={lab.prometheus_config_path}",
            f"--storage.tsdb.path={lab.folder / 'prometheus'}",
            f"--storage.tsdb.retention.time={RETENTION}",
            f"--web.listen-address={_address(lab.prometheus_url)}",
            "--web.enable-lifecycle",
            "--log.level=warn",
            *(incidents.FLAGS if lab.incident else ()),
        ],
    }


def _python(module: str, url: str, *arguments: str) -> list[str | Path]:
    return [
        sys.executable,
        "-P",
        "-m",
        f"opsconsole.lab.{module}",
        "--port",
        url.rpartition(":")[2],
        *arguments,
    ]


def _health_urls(lab: LabState) -> Iterator[tuple[str, str]]:
    yield "service", f"{lab.service_url}/health/billing"
    yield "inbox", f"{lab.inbox_url}/health"
    yield "grafana", f"{lab.grafana_url}/api/health"
    yield "alertmanager", f"{lab.alertmanager_url}/-/ready"
    yield "prometheus", f"{lab.prometheus_url}/-/ready"


def _address(url: str) -> str:
    return url.removeprefix("http://")
