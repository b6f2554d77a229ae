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
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from opsconsole.errors import Nonsense, Refused, TimedOut, Unreachable, Unseen
from opsconsole.model import Finding, Seen

if TYPE_CHECKING:
    from opsconsole.clients.alertmanager import Alertmanager
    from opsconsole.clients.cluster import Cluster
    from opsconsole.clients.effects import Effects
    from opsconsole.clients.grafana import Grafana
    from opsconsole.clients.inbox import Inbox
    from opsconsole.clients.prometheus import Prometheus
    from opsconsole.clients.reference import Reference
    from opsconsole.clients.service import Service

__all__ = [
    "Alertmanager",
    "Cluster",
    "Effects",
    "Finding",
    "Grafana",
    "Inbox",
    "Nonsense",
    "Prometheus",
    "Reference",
    "Refused",
    "Seen",
    "Service",
    "SignOff",
    "Skip",
    "TimedOut",
    "Unreachable",
    "Unseen",
    "until",
]

_CLIENTS = {
    "Alertmanager": "opsconsole.clients.alertmanager",
    "Cluster": "opsconsole.clients.cluster",
    "Effects": "opsconsole.clients.effects",
    "Grafana": "opsconsole.clients.grafana",
    "Inbox": "opsconsole.clients.inbox",
    "Prometheus": "opsconsole.clients.prometheus",
    "Reference": "opsconsole.clients.reference",
    "Service": "opsconsole.clients.service",
}

_T = TypeVar("_T")
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.5


class Skip(Exception):  # noqa: N818 - a value, not an error
    """This check does not apply here; the argument says why."""


class SignOff(Exception):  # noqa: N818 - a value, not an error
    """The facts are there and the judgement is a person's; the argument is the question to answer."""


class Performance(Protocol):
    """What the engine knows of the check that is running."""

    def waits(self, what: str, within_seconds: float) -> None:
        """Show that the check waits, and allow it that time."""


performing: ContextVar[Performance | None] = ContextVar("performing", default=None)
"""The check that this task performs; set by the engine, read by `until` and by the clients' recorder."""


async def until(
    condition: Callable[[], Awaitable[_T | None]], *, within_seconds: float, what: str
) -> _T | None:
    """Ask again and again until `condition` answers something true; None when the time is over.

    `what` completes "waiting for ..." on the screen, which counts down. The pauses between two
    questions grow from 0.02 s to 0.5 s. What `condition` raises passes through.
    """
    if (performance := performing.get()) is not None:
        performance.waits(what, within_seconds)
    clock = asyncio.get_running_loop().time
    deadline, pause = clock() + within_seconds, _FIRST_PAUSE_SECONDS
    while True:
        if answer := await condition():
            return answer
        if clock() >= deadline:
            return None
        await asyncio.sleep(min(pause, max(0.0, deadline - clock())))
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


def __getattr__(name: str) -> Any:
    """The clients' types, loaded when a check names them: the engine itself is handed its clients."""
    if name in _CLIENTS:
        return getattr(importlib.import_module(_CLIENTS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
