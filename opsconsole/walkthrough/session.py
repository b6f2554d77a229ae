"""An environment opened for an alert test: its clients, its records, its run."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from opsconsole.alive import is_alive
from opsconsole.clients.http import Http
from opsconsole.clients.inbox import make_all
from opsconsole.config import Environment
from opsconsole.engine.checklist import Checklist
from opsconsole.engine.record import Recorder
from opsconsole.errors import ConfigError, Unseen, UsageError
from opsconsole.faults import Means
from opsconsole.model import ItemSummary
from opsconsole.nearest import nearest
from opsconsole.session import learn_secrets, open_clients
from opsconsole.store import Records
from opsconsole.walkthrough.drill import Drill, everything
from opsconsole.walkthrough.recording import begin
from opsconsole.walkthrough.sight import Sight
from opsconsole.walkthrough.unmodified import UnmodifiedDrill

KIND = "alert-test"


@dataclass
class DrillSession:
    """An alert test in an environment, ready to be prepared and run."""

    environment: Environment
    verification: Drill
    recorder: Recorder
    records: Records


@asynccontextmanager
async def open_drill(
    environment: Environment,
    checklist: Checklist,
    records: Records,
    recorder: Recorder,
    *,
    alerts: Sequence[str] = (),
    watch_seconds: float | None = None,
    incidents: Mapping[str, str] | None = None,
    began_at: float = 0.0,
) -> AsyncIterator[DrillSession]:
    """Open the environment and record that the alert test begins; closes its connections at the end.

    `alerts` are those to test, all that there are where none is named; `incidents` tells in words what the
    history of an environment holds for each of them, where it stands for every other cause, and
    `began_at` when that environment was started.

    Raises UsageError for an alert that there is not, and ConfigError where the environment names no
    Prometheus or no Alertmanager.
    """
    learn_secrets(environment)
    clients = open_clients(environment, recorder, None)
    inboxes = make_all(environment, recorder.exchange)
    try:
        for name in ("prometheus", "alertmanager"):
            if clients.by_name[name] is None:
                raise ConfigError(f"names no {name}, and an alert test needs one", where=environment.source)
        sight = Sight(
            environment=environment,
            prometheus=clients.by_name["prometheus"],
            alertmanager=clients.by_name["alertmanager"],
            service=clients.by_name["service"],
            inboxes=inboxes,
            drills=checklist.drills,
            reference=clients.by_name["reference"],
            mail_server=clients.by_name["mail_server"],
        )
        names = _chosen(tuple(dict.fromkeys(alerts)), await _all_alerts(sight), environment)
        means = _means(environment, clients.doors.get("service"), recorder)
        drill = Drill(sight, recorder, names, means, watch_seconds)
        drill.elsewhere = lambda alert: _elsewhere(records, recorder.run, means, alert)
        if incidents is not None:
            drill = UnmodifiedDrill(
                sight, recorder, names, None, incidents=dict(incidents), began_at=began_at
            )
        begin(
            recorder,
            environment,
            kind=KIND,
            title=f"{checklist.title}: alert test",
            items=tuple(ItemSummary(id=name, title=name, section="Alerts", checks=(name,)) for name in names),
            checklist_hash=checklist.hash,
        )
        with suppress(Unseen):
            await sight.prometheus.version()
        yield DrillSession(environment, drill, recorder, records)
    finally:
        for inbox in {id(inbox): inbox for inbox in inboxes.values()}.values():
            await inbox.close()
        await clients.close()


async def _all_alerts(sight: Sight) -> tuple[str, ...]:
    try:
        return everything(sight.drills, await sight.prometheus.rules())
    except Unseen:
        return tuple(sight.drills)


def _chosen(alerts: tuple[str, ...], known: tuple[str, ...], environment: Environment) -> tuple[str, ...]:
    for alert in alerts:
        if alert not in known:
            raise UsageError(f"no alert {alert!r} in {environment.name}", hint=nearest(alert, known))
    if not known:
        raise UsageError(f"there is no alert in {environment.name}", hint="are its rules loaded?")
    return alerts or known


def _elsewhere(records: Records, run: str, means: Means | None, alert: str) -> str:
    """The run of another living console that brings the alert about on the same service, or nothing."""
    for effect in records.open_effects():
        told = effect.begun.data
        same = means is not None and told.get("url") == means.service.base and effect.begun.item == alert
        if same and effect.run != run and is_alive(told.get("process", "")):
            return effect.run
    return ""


def _means(environment: Environment, door: Http | None, recorder: Recorder) -> Means | None:
    if door is None or environment.service is None:
        return None
    return Means(run=recorder.run, service=door, settings=environment.service, journal=recorder)
