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
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from importlib.resources import files
from typing import Any

from opsconsole.clients.reference import Reference
from opsconsole.errors import LabError
from opsconsole.lab import calm, history, incidents, parts, past, processes, shortening
from opsconsole.lab.servers import Servers, find
from opsconsole.lab.state import LabState, Member, Owner, clear_leftovers, new_folder, remove_folder

__all__ = ["LabState", "clear_leftovers", "running", "start", "stop"]

Progress = Callable[[str], None]

COMPONENTS = ("prometheus.yml", "billing-alerts.yml", "alertmanager.yml", "billing_dashboard.json")
SHORTENED = {"billing-alerts.yml": shortening.shorten_rules, "alertmanager.yml": shortening.shorten_routes}


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
        with processes.free_ports(len(parts.PARTS) + 1) as ports:
            lab = _addressed(lab, ports)
            _write_components(lab)
            lab = await _started(lab, servers, tell)
    except BaseException:
        stop(lab)
        raise
    return lab


def stop(lab: LabState) -> None:
    """End the lab's processes and remove its folder. A lab that has ended already is no error."""
    parts.end(lab)
    remove_folder(lab.folder)


async def renew(lab: LabState, on_progress: Progress | None = None) -> LabState:
    """Start a lab again as it was at first, on the same addresses and with the same secrets: its files as
    they are shipped, and nothing of what its servers have kept. Raises LabError where a part does not start;
    then, as after any other end halfway, nothing of this lab is left.
    """
    tell = on_progress or (lambda _: None)
    servers = await asyncio.to_thread(
        find, lab.prometheus_version, lab.alertmanager_version, on_progress=tell
    )
    lab = replace(lab, starter=_myself(), ready=False)  # so that nobody takes it for a killed one's
    lab.save()
    try:
        await asyncio.to_thread(parts.end, lab)
        for data in (lab.prometheus_data, lab.alertmanager_data, *lab.folder.glob("beside-*")):
            shutil.rmtree(data, ignore_errors=True)
        whole: dict[str, Any] = {"fault": "", "broken_at": 0.0, "practised_by": None}
        lab = replace(lab, **whole, members=())
        lab.save()
        _write_components(lab)
        return await _started(lab, servers, tell)
    except BaseException:
        stop(lab)
        raise


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


def _myself() -> Member:
    identity = processes.identity(os.getpid())
    if identity is None:
        raise LabError("this system does not tell about processes", where="/proc")
    return Member("starter", *identity)


def _founded(owner: Owner, servers: Servers, *, drill: bool, incident: bool) -> LabState:
    lab = LabState(
        owner=owner,
        starter=_myself(),
        folder=new_folder(),
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
    return lab


def _addressed(lab: LabState, ports: list[int]) -> LabState:
    smtp, *others = ports
    urls = {f"{part}_url": f"http://127.0.0.1:{port}" for part, port in zip(parts.PARTS, others, strict=True)}
    addresses: dict[str, Any] = {**urls, "smtp_address": f"127.0.0.1:{smtp}"}
    return replace(lab, **addresses)


def _write_components(lab: LabState) -> None:
    values = {
        "service_address": parts.address(lab.service_url),
        "alertmanager_address": parts.address(lab.alertmanager_url),
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
    shutil.copy(lab.dashboard_path, lab.reference_dashboard_path)


def component(name: str) -> str:
    """The text of a component as it is shipped, for example `billing-alerts.yml`."""
    return (files("opsconsole.lab") / "components" / name).read_text(encoding="utf-8")


async def _started(lab: LabState, servers: Servers, tell: Progress) -> LabState:
    tell("starting the billing service, the inbox, the Grafana stand-in and Alertmanager")
    commands = parts.commands(lab, servers)
    prometheus = commands.pop("prometheus")
    spawned = {name: parts.spawn(lab, name, command) for name, command in commands.items()}
    data = lab.prometheus_data
    if lab.incident:
        rules = Reference(lab.rules_path).rules()
        await _seen_through(incidents.provide, data, servers.promtool, rules, time.time())
    elif not lab.drill:
        await _seen_through(history.provide, data, servers.promtool, seed=parts.SEED, on_progress=tell)
    tell("starting Prometheus")
    spawned["prometheus"] = parts.spawn(lab, "prometheus", prometheus)
    await asyncio.gather(*(processes.wait_ready(url, spawned[name]) for name, url in parts.health_urls(lab)))
    if lab.drill and not lab.incident:
        tell("waiting until the drill lab is calm (about 5 s)")
        await calm.wait(lab.prometheus_url)
    return parts.record(lab, ready=True)


async def _seen_through(work: Callable[..., None], *arguments: Any, **options: Any) -> None:
    """Do it in a thread; whoever cancels waits for its end, or it would write into a folder that is gone."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments, **options))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(Exception):
            await task
        raise
