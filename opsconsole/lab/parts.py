"""The parts of a lab: their commands, and their processes as they come and go."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from opsconsole.errors import LabError
from opsconsole.lab import incidents, processes, relocate
from opsconsole.lab.servers import Servers
from opsconsole.lab.state import LabState, Member, load

PARTS = ("service", "inbox", "grafana", "alertmanager", "prometheus")
SEED = 1
DRILL_PACE = 50
RETENTION = "15d"

_own: dict[Path, list[processes.Process]] = {}
"""The processes of the labs that this process has started, by the lab's folder."""

Command = list[str | Path]


def commands(lab: LabState, servers: Servers) -> dict[str, Command]:
    """What starts each part, in the order in which they are started."""
    pace = str(DRILL_PACE if lab.drill else 1)
    return {
        "service": _python("service", lab.service_url, "--seed", str(SEED), "--pace", pace),
        "inbox": _python("inbox", lab.inbox_url, "--smtp-port", lab.smtp_address.rpartition(":")[2]),
        "grafana": _python(
            "grafana", lab.grafana_url, "--prometheus", lab.prometheus_url,
            "--dashboard", str(lab.dashboard_path),
        ),
        "alertmanager": alertmanager(
            lab, servers, storage=lab.alertmanager_data, address=address(lab.alertmanager_url)
        ),
        "prometheus": [
            servers.prometheus,
            f"--config.file={lab.prometheus_config_path}",
            f"--storage.tsdb.path={lab.prometheus_data}",
            f"--storage.tsdb.retention.time={RETENTION}",
            f"--web.listen-address={address(lab.prometheus_url)}",
            "--web.enable-lifecycle",
            "--log.level=warn",
            *(incidents.FLAGS if lab.incident else ()),
        ],
    }  # fmt: skip


def alertmanager(lab: LabState, servers: Servers, *, storage: Path, address: str) -> Command:
    """What starts an Alertmanager with the lab's configuration, alone."""
    return [
        *relocate.command(servers.alertmanager),
        f"--config.file={lab.alertmanager_config_path}",
        f"--storage.path={storage}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]


def spawn(lab: LabState, name: str, argv: Command) -> processes.Process:
    """Start a part, and write down that it is there."""
    process = processes.spawn(
        argv,
        name=name,
        log=lab.log_folder / f"{name}.log",
        env={**os.environ, **_secrets(lab)},
        die_with_parent=lab.owner != "kept",
    )
    _own.setdefault(lab.folder, []).append(process)
    record(lab)
    return process


def end(lab: LabState, names: Iterable[str] | None = None) -> None:
    """End these parts of a lab, or all, whoever started them. One that has ended already is no error."""
    with suppress(LabError):
        lab = load(lab.folder)
    own = _own.get(lab.folder, [])
    wanted = {member.name for member in lab.members} | {process.name for process in own}
    wanted &= wanted if names is None else set(names)
    mine = [process for process in own if process.name in wanted]
    processes.stop(mine)
    pids = {process.pid for process in mine}
    others = [member for member in lab.members if member.name in wanted and member.pid not in pids]
    processes.end((member.pid, member.start_ticks) for member in others)
    _own[lab.folder] = [process for process in own if process not in mine]
    if not _own[lab.folder]:
        _own.pop(lab.folder, None)  # another thread may be ending them too


def record(lab: LabState, *, ready: bool | None = None) -> LabState:
    """Write the lab down with the processes that it has now; of two with one name the later counts."""
    known = lab.members
    with suppress(LabError):
        known = load(lab.folder).members
    own = {process.name: Member(process.name, *process.identity) for process in _own.get(lab.folder, ())}
    members = {member.name: member for member in known} | own
    lab = replace(lab, members=tuple(members.values()), ready=lab.ready if ready is None else ready)
    lab.save()
    return lab


def health_urls(lab: LabState) -> Iterator[tuple[str, str]]:
    """Where each part says that it is ready."""
    yield "service", f"{lab.service_url}/health/billing"
    yield "inbox", f"{lab.inbox_url}/health"
    yield "grafana", f"{lab.grafana_url}/api/health"
    yield "alertmanager", f"{lab.alertmanager_url}/-/ready"
    yield "prometheus", f"{lab.prometheus_url}/-/ready"


def address(url: str) -> str:
    """Host and port."""
    return url.removeprefix("http://")


def _secrets(lab: LabState) -> Mapping[str, str]:
    return {
        "OPSCONSOLE_LAB_API_KEY": lab.api_key,
        "OPSCONSOLE_LAB_WEBHOOK_SECRET": lab.webhook_secret,
        "OPSCONSOLE_LAB_GRAFANA_TOKEN": lab.grafana_token,
        "OPSCONSOLE_LAB_GRAFANA_READER_TOKEN": lab.grafana_reader_token,
    }


def _python(module: str, url: str, *arguments: str) -> Command:
    port = url.rpartition(":")[2]
    return [sys.executable, "-P", "-m", f"opsconsole.lab.{module}", "--port", port, *arguments]
