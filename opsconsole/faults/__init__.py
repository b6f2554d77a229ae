"""Faults: what brings an alert about, one file for each; each is journalled before it begins and undone.

A fault is looked up by the name that a checklist's [drills] gives, which is its file's.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from opsconsole import config
from opsconsole.clients.http import Http
from opsconsole.errors import ConfigError, OpsconsoleError
from opsconsole.nearest import nearest


class Journal(Protocol):
    """Where effects are written before they begin, and struck off when their end was seen;
    `opsconsole.engine.record.Recorder` is one."""

    def effect_begun(self, effect: str, what: str, undo: str, data: dict[str, str]) -> None: ...

    def effect_ended(self, effect: str, how: str) -> None: ...


class Unexpected(OpsconsoleError):
    """The service answered something else than the refusal or the success that the fault counts on: the fault
    stops at once, and the test has failed, for this was seen."""

    exit_code = 1


@dataclass(frozen=True)
class Means:
    """What a fault works with. `run` marks what it makes; `service` is the door to the service."""

    run: str
    service: Http
    settings: config.Service
    journal: Journal


class Doses(Protocol):
    """A fault that is open and can be dosed."""

    async def give(self, bad: int, passing: int) -> str:
        """Send so many requests that bring the cause about, and so many that only go with them, the passing
        ones first; returns when all are answered, with what came of a bad one, in one line ("402
        card_declined").

        Raises Unexpected for any other answer than the one counted on, and Unseen where there is none, or
        where the key is not accepted (401, 403), so that nothing is seen.
        """


@dataclass(frozen=True)
class Moved:
    """A series that one request moves by one: the metric and what is known of its labels."""

    metric: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """One way to bring an alert about.

    `unavailable` says why it cannot be done with a service configured like this, empty where it can;
    `sends` says in one line what it sends, and where. `open` is an async context manager: within it the
    fault can be dosed, and when it is left, in whatever way, the fault has ended and what it made is removed.
    `moves` and `passing_moves` are the series that one bad and one passing request move; `dilutes` tells
    whether passing requests can be sent with these settings. A fault that is not `counted` is there for as
    long as it is open: it takes no doses, and `give(0, 0)` only tells what was done. `touches` names what an
    environment's `allow_faults` guards: payments or webhooks. `leaves_objects`: each passing request makes a
    test object, removed at the end.
    """

    name: str
    title: str
    unavailable: Callable[[config.Service], str]
    sends: Callable[[config.Service], str]
    open: Callable[[Means], AbstractAsyncContextManager[Doses]]
    moves: tuple[Moved, ...] = ()
    passing_moves: tuple[Moved, ...] = ()
    dilutes: Callable[[config.Service], bool] = lambda service: False
    counted: bool = True
    touches: str = ""
    leaves_objects: bool = False


def names() -> list[str]:
    """The names of all faults."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name[0] != "_")


def named(name: str, *, where: str = "") -> Fault:
    """The fault of this name. Raises ConfigError naming the nearest."""
    if name not in names():
        raise ConfigError(f"no fault {name!r}", where=where, hint=nearest(name, names()))
    fault: Fault = importlib.import_module(f"{__name__}.{name}").FAULT
    return fault
