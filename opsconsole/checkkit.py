"""All that a check may import, beside the standard library.

A check is one file in `checks/`: an async generator `check(...)` whose positional parameters are the
clients that it needs and whose keyword-only parameters are its settings. It yields `Seen` for what it
saw and found right, and `Finding` for each thing that is wrong; it may raise `Skip` (does not apply
here), `SignOff` (a person must judge) or let a client's `Unseen` pass (could not see). A module constant
`DIAGNOSIS` may name other checks, symptom first, cause last, to be run when this one does not pass.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

from msgspec import Meta

from opsconsole.errors import Nonsense, Refused, TimedOut, Unreachable, Unseen
from opsconsole.model import Exchange, Finding, Seen

if TYPE_CHECKING:
    from opsconsole import promql
    from opsconsole.clients.alertmanager import Alertmanager
    from opsconsole.clients.cluster import Cluster
    from opsconsole.clients.dashboard_drift import compared_dashboard
    from opsconsole.clients.delivery import InForce, connection, in_force, sent_labels
    from opsconsole.clients.drift import compared, rule_files_not_found
    from opsconsole.clients.effects import Effects
    from opsconsole.clients.evaluation import first_evaluation, holds_one_scrape, ill_evaluated, too_slow
    from opsconsole.clients.grafana import Grafana
    from opsconsole.clients.handover import mail_handovers, refusals
    from opsconsole.clients.http import Answer
    from opsconsole.clients.inbox import Inbox, Message
    from opsconsole.clients.inbox.mails import came_unnamed, mail_fault
    from opsconsole.clients.panels import PanelRun, run_panels
    from opsconsole.clients.prometheus import Prometheus, Rule, Runtime, Series, Target
    from opsconsole.clients.query_offsets import judged_late
    from opsconsole.clients.reference import Reference, ReferenceRule
    from opsconsole.clients.routing import AlertmanagerConfig, Route
    from opsconsole.clients.scrapes import not_stored, scrape_faults, standing_still
    from opsconsole.clients.service import Service
    from opsconsole.clients.silences import silenced
    from opsconsole.clients.smtp import MailServer
    from opsconsole.clients.targets import ask_endpoint, not_up, stamped_wrongly
    from opsconsole.clients.twins import scraped_twice
    from opsconsole.clients.wire import seconds
    from opsconsole.rehearse.known import Known, known
    from opsconsole.rehearse.model import Reason, Warned
    from opsconsole.rehearse.scraped import scraped_no_longer

_TYPES = frozenset(
    [
        "Alertmanager",
        "AlertmanagerConfig",
        "Answer",
        "Cluster",
        "Effects",
        "Grafana",
        "InForce",
        "Inbox",
        "Known",
        "MailServer",
        "Message",
        "PanelRun",
        "Prometheus",
        "Reason",
        "Reference",
        "ReferenceRule",
        "Route",
        "Rule",
        "Runtime",
        "Series",
        "Service",
        "Target",
        "Warned",
    ]
)
"""Named by checks in annotations alone: at run time they are `Any`, so that naming one loads nothing."""

_FUNCTIONS = {
    "ask_endpoint": "opsconsole.clients.targets",
    "came_unnamed": "opsconsole.clients.inbox.mails",
    "compared": "opsconsole.clients.drift",
    "compared_dashboard": "opsconsole.clients.dashboard_drift",
    "connection": "opsconsole.clients.delivery",
    "first_evaluation": "opsconsole.clients.evaluation",
    "holds_one_scrape": "opsconsole.clients.evaluation",
    "ill_evaluated": "opsconsole.clients.evaluation",
    "in_force": "opsconsole.clients.delivery",
    "judged_late": "opsconsole.clients.query_offsets",
    "known": "opsconsole.rehearse.known",
    "mail_fault": "opsconsole.clients.inbox.mails",
    "mail_handovers": "opsconsole.clients.handover",
    "not_up": "opsconsole.clients.targets",
    "refusals": "opsconsole.clients.handover",
    "rule_files_not_found": "opsconsole.clients.drift",
    "run_panels": "opsconsole.clients.panels",
    "scraped_no_longer": "opsconsole.rehearse.scraped",
    "scraped_twice": "opsconsole.clients.twins",
    "seconds": "opsconsole.clients.wire",
    "not_stored": "opsconsole.clients.scrapes",
    "scrape_faults": "opsconsole.clients.scrapes",
    "sent_labels": "opsconsole.clients.delivery",
    "silenced": "opsconsole.clients.silences",
    "stamped_wrongly": "opsconsole.clients.targets",
    "standing_still": "opsconsole.clients.scrapes",
    "too_slow": "opsconsole.clients.evaluation",
}

__all__ = [
    "Alertmanager",
    "AlertmanagerConfig",
    "Answer",
    "Cluster",
    "Days",
    "Duration",
    "Effects",
    "Finding",
    "Grafana",
    "InForce",
    "Inbox",
    "Known",
    "MailServer",
    "Message",
    "Names",
    "Nonsense",
    "NotEmpty",
    "PanelRun",
    "Prometheus",
    "Reason",
    "Reference",
    "ReferenceRule",
    "Refused",
    "Route",
    "Rule",
    "Runtime",
    "Seconds",
    "Seen",
    "Series",
    "Service",
    "SignOff",
    "Skip",
    "Target",
    "TimedOut",
    "Unreachable",
    "Unseen",
    "Warned",
    "ask_endpoint",
    "came_unnamed",
    "compared",
    "compared_dashboard",
    "connection",
    "first_evaluation",
    "first_scrape",
    "holds_one_scrape",
    "ill_evaluated",
    "in_force",
    "judged_late",
    "known",
    "lasting",
    "mail_fault",
    "mail_handovers",
    "not_stored",
    "not_up",
    "promql",
    "refusals",
    "rule_files_not_found",
    "run_panels",
    "scrape_faults",
    "scraped_no_longer",
    "scraped_twice",
    "seconds",
    "sent_labels",
    "silenced",
    "stamped_wrongly",
    "standing_still",
    "too_slow",
    "until",
]

NotEmpty = Meta(min_length=1)
"""For settings whose check would look at nothing otherwise: `Annotated[list[Expectation], NotEmpty]`."""

Names = Annotated[list[str], NotEmpty]
Days = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Duration = Annotated[str, Meta(pattern=r"^(|0|([0-9]+(ms|[smhdwy]))+)$")]
"""As Prometheus writes it, "1h30m"; empty for none."""

_T = TypeVar("_T")
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 240.0
"""For scrapes, whose interval is the server's to decide."""


class Skip(Exception):
    """This check does not apply here; the argument says why."""


class SignOff(Exception):
    """The facts are there and the judgement is a person's; the argument is the question to answer."""


class Performance(Protocol):
    """What is at work for an item: a check that runs, an alert under test."""

    @property
    def item(self) -> str:
        """The id of the item that it works for."""

    def exchanged(self, exchange: Exchange) -> None:
        """Take a request and its answer as evidence."""

    def waits(self, what: str, within_seconds: float) -> None:
        """Show that the check waits, and allow it that time."""

    def doubts(self, why: str) -> None:
        """Keep the check from passing: what it is told may be wrong or only a part."""


performing: ContextVar[Performance | None] = ContextVar("performing", default=None)
"""What this task works for; set by whoever performs, read by `until` and by the clients' recorder."""


async def until(
    condition: Callable[[], Awaitable[_T | None]], *, within_seconds: float, what: str
) -> _T | None:
    """Ask again and again until `condition` answers something true; None when the time is over.

    `what` completes "waiting for ..." on the screen, which counts down. The pauses between two
    questions grow from 0.02 s to 0.5 s. What `condition` raises passes through.
    """
    clock = asyncio.get_running_loop().time
    deadline, pause = clock() + within_seconds, _FIRST_PAUSE_SECONDS
    shown = False
    while not (answer := await condition()):
        if clock() >= deadline:
            return None
        if not shown and (performance := performing.get()) is not None:
            performance.waits(what, deadline - clock())
            shown = True
        await asyncio.sleep(min(pause, max(0.0, deadline - clock())))
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
    return answer


async def first_scrape(prometheus: "Prometheus", job: str, *, scrapes: int = 1) -> "list[Target]":
    """The targets of `job`; waits, where Prometheus has only just started or found them, until all were
    tried, and where it has only just started until it holds so many `scrapes`: a rate needs two."""
    targets, settling = await asyncio.gather(prometheus.targets(job), prometheus.settling_seconds())

    def two_scrapes() -> float:
        longest = max((2 * target.scrape_interval_seconds for target in targets), default=0.0)
        return min(longest, _LONGEST_WAIT_SECONDS)

    def untried() -> bool:
        return not targets or any(target.health == "unknown" for target in targets)

    async def tried() -> bool:
        nonlocal targets
        targets = await prometheus.targets(job)
        return not untried()

    async def enough() -> bool:
        counted = await prometheus.query(f'min(count_over_time(up{{job="{job}"}}[1m]))')
        return bool(counted) and counted[0].value >= scrapes

    if untried():
        await until(tried, within_seconds=max(two_scrapes(), settling), what=f"the first scrape of {job}")
    if scrapes > 1 and settling:
        await until(enough, within_seconds=two_scrapes(), what=f"{scrapes} scrapes of {job}")
    return targets


def lasting(length_seconds: float) -> str:
    """A duration for people: "0.4 s", "12 s", "4 min 10 s", "6 h", "15 d"."""
    if length_seconds < 10:
        return f"{length_seconds:.1f} s".replace(".0 s", " s")
    whole = round(length_seconds)
    for size, unit, below in ((86_400, "d", "h"), (3600, "h", "min"), (60, "min", "s")):
        if whole >= size:
            rest = whole % size // {"h": 3600, "min": 60, "s": 1}[below]
            return f"{whole // size} {unit}" + (f" {rest} {below}" if rest else "")
    return f"{whole} s"


class _LoadedWhenUsed:
    """Stands for a module until something of it is used: by then the first answers are on their way."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._module), name)


def __getattr__(name: str) -> Any:
    """What lies in other rooms: the engine itself is handed its clients, and loads none."""
    if name in _TYPES:
        return Any
    if name == "promql":
        return _LoadedWhenUsed("opsconsole.promql")
    if name in _FUNCTIONS:
        return lambda *given, **named: getattr(_LoadedWhenUsed(_FUNCTIONS[name]), name)(*given, **named)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
