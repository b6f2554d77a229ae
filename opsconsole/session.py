"""One environment opened for work: its clients, its records, its run: where the rooms are joined."""

import getpass
import platform
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any

from opsconsole import __version__, content
from opsconsole.clients.http import Endpoint, Http
from opsconsole.config import Environment, Server
from opsconsole.engine.checklist import Checklist, load
from opsconsole.engine.discover import Check, discover
from opsconsole.engine.record import Recorder
from opsconsole.engine.schedule import Verification
from opsconsole.errors import ChecklistError, ConfigError, RecordsError
from opsconsole.nearest import nearest
from opsconsole.runview import RunView
from opsconsole.secrets import Secret
from opsconsole.store import Records, new_run_id

_BEGIN_ANEW = {
    "alert-test": "opsconsole cleanup takes back what it left; then: opsconsole alert-test",
    "alert-send": "send a new one: opsconsole alert send",
    "cleanup": "clean up again: opsconsole cleanup",
    "practise": "practise again: opsconsole lab practise",
}


@dataclass
class Session:
    """A run in an environment, ready to be worked through."""

    environment: Environment
    verification: Verification
    recorder: Recorder
    records: Records


@dataclass(frozen=True)
class Plan:
    """What is to be verified: everything that can be wrong without asking a server is found here."""

    environment: Environment
    checks: dict[str, Check]
    checklist: Checklist


def plan(environment: Environment, select: Iterable[str] = ()) -> Plan:
    """Read the environment's checklist against the checks that there are. Raises ChecklistError."""
    checks = discover(content.folder("checks"))
    settings = f"{environment.source}, [env.{environment.name}.settings]"
    path = _checklist_path(environment)
    checklist = load(path, checks, environment.settings, overridden_in=settings)
    known = [item.id for item in checklist.items]
    for signed in environment.sign_offs:
        if signed not in known:
            where = f"{environment.source}, [env.{environment.name}] sign_off"
            raise ChecklistError(
                f"no item {signed!r} in this checklist", where=where, hint=nearest(signed, known)
            )
    return Plan(environment, checks, checklist.select(select) if (select := list(select)) else checklist)


@asynccontextmanager
async def open_session(
    plan: Plan, records: Records, *, effects: bool, past: RunView | None = None
) -> AsyncIterator[Session]:
    """Open the environment and record that the run begins, or that `past`, which was cut off, goes on.

    `effects`: whether checks that change something may run (never in a protected environment, unless
    the user named it). Closes its connections at the end.
    """
    environment = plan.environment
    run = past.start.run if past and past.start else new_run_id()
    learn_secrets(environment)
    number = records.next_number(run)
    recorder = Recorder(run, records, number=number - 1)
    mark = f"{run}.{number}" if past else run
    clients = open_clients(environment, recorder, mark if effects else None)
    try:
        verification = Verification(
            checklist=plan.checklist.select(past.items) if past else plan.checklist,
            checks=plan.checks,
            clients=clients.by_name,
            recorder=recorder,
            environment=environment.name,
            check_timeout_seconds=environment.check_timeout_seconds,
            sign_offs=environment.sign_offs,
        )
        _begin(verification, environment, past)
        yield Session(environment, verification, recorder, records)
    finally:
        await clients.close()


def learn_secrets(environment: Environment) -> None:
    """Know every secret before any server speaks; a keyring's when it is used, for asking takes long."""
    for part in vars(environment).values():
        for secret in vars(part).values() if is_dataclass(part) else ():
            if isinstance(secret, Secret) and not secret.reference.startswith("keyring:"):
                with suppress(ConfigError):
                    secret.reveal()


def _begin(verification: Verification, environment: Environment, past: RunView | None) -> None:
    who, host = whoami()
    if past is None:
        versions = {"opsconsole": __version__, "python": platform.python_version()}
        verification.start(who=who, host=host, protected=environment.protected, versions=versions)
    else:
        done = {id: item.outcome for id, item in past.items.items() if item.outcome is not None}
        verification.resume(done, who=who, host=host)


def resumable(records: Records, run: str, plan: Plan) -> RunView:
    """The cut-off run `run`, if it can go on with this plan. Raises RecordsError where it cannot."""
    past = RunView.of(records.entries(run))
    start = past.start
    if start is None:
        raise RecordsError(f"run {run} has no beginning")
    if start.kind != "verify":
        raise RecordsError(
            f"run {run} is no verification but of kind {start.kind}: it cannot go on where it was cut off",
            hint=_BEGIN_ANEW.get(start.kind, "begin a new one"),
        )
    if not list(past.unfinished()):
        raise RecordsError(f"run {run} is complete", hint="begin a new one: opsconsole verify")
    if start.environment != plan.environment.name:
        raise RecordsError(f"run {run} is of {start.environment}", hint=f"add --env {start.environment}")
    if start.checklist_hash != plan.checklist.hash:
        raise RecordsError(
            f"the checklist has changed since run {run}", hint="begin a new one: opsconsole verify"
        )
    return past


def whoami() -> tuple[str, str]:
    """The login name and the host, as far as the system tells them."""
    with suppress(OSError, KeyError, ImportError):
        return getpass.getuser(), socket.gethostname()
    return "unknown", socket.gethostname()


def _checklist_path(environment: Environment) -> Path:
    name = environment.checklist
    if "/" in name or name.endswith(".toml"):
        return Path(name)
    path = content.folder("checks") / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(p.stem for p in content.folder("checks").glob("*.toml"))
        raise ChecklistError(
            f"no checklist {name!r}", where=environment.source, hint=f"there are: {known}; or give a path"
        )
    return path


@dataclass(frozen=True)
class Clients:
    """An environment's clients by name, None where it names no such server, and the doors that they use."""

    by_name: dict[str, Any]
    doors: dict[str, Http]

    async def close(self) -> None:
        """Give back all connections."""
        for client in (*self.doors.values(), self.by_name["inbox"]):
            if client is not None:
                await client.close()


def open_clients(environment: Environment, recorder: Recorder, mark: str | None) -> Clients:
    """Clients for every server that the environment names.

    `mark` is what effects are marked with: the run's id, and another one each time that a run goes on, so
    that nothing left of the time before is taken for it. None: no effects.
    """
    from opsconsole.clients.alertmanager import Alertmanager
    from opsconsole.clients.effects import Effects
    from opsconsole.clients.grafana import Grafana
    from opsconsole.clients.prometheus import Prometheus
    from opsconsole.clients.reference import Reference
    from opsconsole.clients.service import Service
    from opsconsole.clients.smtp import MailServer

    servers = {
        name: getattr(environment, name) for name in ("prometheus", "alertmanager", "grafana", "service")
    }
    doors = {
        name: Http(name, _endpoint(server, environment), recorder.exchange)
        for name, server in servers.items()
        if server is not None
    }
    prometheus, alertmanager = doors.get("prometheus"), doors.get("alertmanager")
    grafana, service = doors.get("grafana"), doors.get("service")
    clients: dict[str, Any] = {
        "prometheus": prometheus and Prometheus(prometheus, recorder.server),
        "alertmanager": alertmanager and Alertmanager(alertmanager, recorder.server),
        "grafana": grafana and environment.grafana and Grafana(grafana, environment.grafana, recorder.server),
        "service": service and environment.service and Service(service, environment.service),
        "reference": environment.rules and Reference(environment.rules),
        "inbox": _inbox(environment, recorder),
        "cluster": _cluster(environment, recorder),
        "mail_server": MailServer(recorder.exchange, environment.request_timeout_seconds),
    }
    if mark:
        clients["effects"] = Effects(
            mark,
            recorder.effect_begun,
            recorder.effect_ended,
            alertmanager=alertmanager,
            service=service,
            service_settings=environment.service,
        )

    return Clients(clients, doors)


def _endpoint(server: Server, environment: Environment) -> Endpoint:
    return Endpoint(
        url=server.url,
        token=server.token,
        user=server.user,
        password=server.password,
        ca_file=server.ca_file,
        timeout_seconds=server.timeout_seconds or environment.request_timeout_seconds,
    )


def _inbox(environment: Environment, recorder: Recorder) -> Any:
    if environment.inbox is None:
        return None
    from opsconsole.clients.inbox import make

    return make(environment.inbox, recorder.exchange, timeout_seconds=environment.request_timeout_seconds)


def _cluster(environment: Environment, recorder: Recorder) -> Any:
    if environment.cluster is None:
        return None
    from opsconsole.clients.cluster import Cluster

    return Cluster(environment.cluster, recorder.exchange, environment.check_timeout_seconds)
