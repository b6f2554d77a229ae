"""How each kind of effect is taken back by a console that did not make it."""

import importlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from opsconsole import alive
from opsconsole.clients.effects import take_back
from opsconsole.clients.http import Http
from opsconsole.config import Environment
from opsconsole.errors import ConfigError, Nonsense
from opsconsole.faults import Means
from opsconsole.model import EffectBegun
from opsconsole.store import OpenEffect

TEST_ALERT = "test_alert"
REQUESTS = "requests"
FAULTS = {"payment_methods": "declined_payments", "paused_webhooks": "stalled_webhooks"}
"""Kinds of effects, and the fault that knows how to take each back."""

_MARKED = ("payment_methods",)
"""What carries its run's mark, so that nobody else's is taken for it."""

Attempt = Callable[[], Awaitable[str]]
"""Takes an effect back and looks: how it has ended, nothing while that is not to be seen. Raises Unseen."""


@dataclass(frozen=True)
class Doors:
    """The ways into the environment in which an effect was made, by the server's name."""

    environment: Environment
    by_name: Mapping[str, Http]

    def to(self, server: str) -> Http:
        if server not in self.by_name:
            raise ConfigError(f"names no {server}", where=self.environment.source)
        return self.by_name[server]


def kind(begun: EffectBegun) -> str:
    """Of what kind it is; opsconsole 0.1 did not write that down."""
    return begun.data.get("kind") or (TEST_ALERT if "labels" in begun.data else REQUESTS)


def attempt(effect: OpenEffect, doors: Doors, left: Iterable[OpenEffect]) -> Attempt:
    """How this effect is taken back. Raises ConfigError, EffectRefused (a live key), and Nonsense for a kind
    that is not known, or while another console that lives (one of `left`) does the same there."""
    what, data = kind(effect.begun), effect.begun.data
    if what == REQUESTS:
        return _nothing
    if what == TEST_ALERT:
        labels = _labels(data.get("labels", ""))
        return lambda: take_back(doors.to("alertmanager"), labels)
    if what not in FAULTS:
        raise Nonsense(f"this opsconsole does not know how to take back {what!r}", hint="update it")
    if what not in _MARKED:
        _must_be_its_own(effect, doors, left)
    fault = importlib.import_module(f"opsconsole.faults.{FAULTS[what]}")
    way: Attempt = fault.left_over(_means(effect, doors))
    return way


async def _nothing() -> str:
    return "nothing is to be taken back"


def _means(effect: OpenEffect, doors: Doors) -> Means:
    settings = doors.environment.service
    if settings is None:
        raise ConfigError("names no service", where=doors.environment.source)
    run = effect.begun.data.get("run") or effect.run
    return Means(run=run, service=doors.to("service"), settings=settings, journal=_NoJournal())


def _must_be_its_own(effect: OpenEffect, doors: Doors, left: Iterable[OpenEffect]) -> None:
    """Raise Nonsense where what is found may be somebody else's doing."""
    there, here = effect.begun.data.get("url", ""), doors.to("service").base
    if there != here:
        raise Nonsense(f"it was done at {there}, and the environment's service is at {here}")
    for other in left:
        same = kind(other.begun) == kind(effect.begun) and other.begun.data.get("url") == there
        if same and alive.is_alive(other.begun.data.get("process", "")):
            raise Nonsense(f"run {other.run} does the same there, and still goes on", hint="wait for its end")


def _labels(written: str) -> dict[str, str]:
    try:
        return {str(name): str(value) for name, value in json.loads(written).items()}
    except (ValueError, AttributeError):
        raise Nonsense("the journal does not tell its labels") from None


class _NoJournal:
    """What is taken back is journalled by the cleaning."""

    def effect_begun(self, effect: str, what: str, undo: str, data: dict[str, str]) -> None: ...

    def effect_ended(self, effect: str, how: str) -> None: ...
