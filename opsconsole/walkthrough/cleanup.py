"""What runs that were cut off have left in effect: taken back, and seen to be gone."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from opsconsole import alive
from opsconsole.checkkit import performing, until
from opsconsole.config import Environment
from opsconsole.engine.record import Recorder
from opsconsole.errors import OpsconsoleError, RecordsError
from opsconsole.model import (
    EffectEnded,
    Event,
    Exchange,
    Exchanged,
    ItemFinished,
    ItemStarted,
    ItemSummary,
    Outcome,
    RunFinished,
    Waiting,
    exit_code,
)
from opsconsole.session import learn_secrets, open_clients
from opsconsole.store import OpenEffect, Records
from opsconsole.walkthrough import undo
from opsconsole.walkthrough.recording import begin

KIND = "cleanup"

_END_WITHIN_SECONDS = 20.0


def untouchable(effect: OpenEffect, run: str | None) -> str:
    """Why an effect is left alone, empty where it is not: its console still runs, or may do so on another
    host. `run` is the one that the user named."""
    process = effect.begun.data.get("process", "")
    lives = alive.is_alive(process)
    if lives:
        return f"the console that does it still runs, as process {process.partition(':')[0]}"
    if lives is None and process and effect.run != run:
        host = process.partition("@")[2]
        return f"it was done on {host}: where that console is gone, --run {effect.run} takes it back"
    return ""


@dataclass(frozen=True)
class Place:
    """Where effects were made; `where` tells two labs apart. `environment` None: `gone` says that it is over
    with what was there, or `unknown` why it cannot be looked at."""

    name: str
    where: str = ""
    environment: Environment | None = field(default=None, compare=False)
    gone: str = ""
    unknown: str = ""


@dataclass
class Cleaning:
    """Takes back the effects of one place, as a run of its own."""

    place: Place
    effects: Sequence[OpenEffect]
    recorder: Recorder
    records: Records
    outcomes: list[Outcome] = field(default_factory=list)

    async def run(self) -> list[Outcome]:
        """Work through them side by side; returns their outcomes. Raises EffectRefused for a live key."""
        began = time.monotonic()
        environment = self.place.environment or Environment(name=self.place.name)
        learn_secrets(environment)
        items = tuple(_item(effect) for effect in self.effects)
        begin(self.recorder, environment, kind=KIND, title="What was left in effect", items=items)
        clients = open_clients(environment, self.recorder, None)
        try:
            async with asyncio.TaskGroup() as group:
                for effect in self.effects:
                    group.create_task(self._take_back(effect, undo.Doors(environment, clients.doors)))
        except* RecordsError as several:
            raise several.exceptions[0] from None
        finally:
            await clients.close()
        seconds = time.monotonic() - began
        self.recorder.emit(RunFinished(exit_code=exit_code(self.outcomes), seconds=seconds))
        return self.outcomes

    async def _take_back(self, effect: OpenEffect, doors: undo.Doors) -> None:
        began, item = time.monotonic(), effect.begun.effect
        self.recorder.emit(ItemStarted(item=item))
        token = performing.set(_Evidence(item, self.recorder.emit))
        try:
            outcome, said = await self._seen_to_end(effect, doors)
        finally:
            performing.reset(token)
        if outcome is Outcome.PASS:
            self._strike_off(effect, said)
        self.outcomes.append(outcome)
        seconds = time.monotonic() - began
        self.recorder.emit(ItemFinished(item=item, outcome=outcome, summary=said, seconds=seconds))

    async def _seen_to_end(self, effect: OpenEffect, doors: undo.Doors) -> tuple[Outcome, str]:
        what = effect.begun.what
        if self.place.gone:
            return Outcome.PASS, f"{what}: {self.place.gone}"
        if self.place.unknown:
            return Outcome.UNKNOWN, f"{what}: {self.place.unknown}"
        try:
            attempt = undo.attempt(effect, doors, self.records.open_effects())
            how = await until(attempt, within_seconds=_END_WITHIN_SECONDS, what=f"the end of {what}")
        except RecordsError:
            raise
        except OpsconsoleError as error:
            return Outcome.UNKNOWN, f"{what}: {error}"
        if how:
            return Outcome.PASS, f"{what}: {how}"
        return Outcome.UNKNOWN, f"{what}: not seen to end within {_END_WITHIN_SECONDS:g} s"

    def _strike_off(self, effect: OpenEffect, how: str) -> None:
        """In the run that began it, unless somebody else has done so meanwhile."""
        how = f"{how} (cleanup {self.recorder.run})"
        ended = EffectEnded(item=effect.begun.item, effect=effect.begun.effect, how=how)
        if effect not in self.records.open_effects():
            return
        number = self.records.next_number(effect.run) - 1
        try:
            Recorder(effect.run, self.records, number=number).emit(ended)
        except RecordsError:
            if effect in self.records.open_effects():
                raise


@dataclass(frozen=True)
class _Evidence:
    """What `performing` is while one effect is taken back."""

    item: str
    emit: Callable[[Event], None]

    def exchanged(self, exchange: Exchange) -> None:
        self.emit(Exchanged(item=self.item, exchange=exchange))

    def waits(self, what: str, within_seconds: float) -> None:
        self.emit(Waiting(item=self.item, what=what, within_seconds=within_seconds))

    def doubts(self, why: str) -> None:
        """Nothing here judges."""


def _item(effect: OpenEffect) -> ItemSummary:
    page = "alertmanager_answers" if undo.kind(effect.begun) == undo.TEST_ALERT else "service_answers"
    return ItemSummary(
        id=effect.begun.effect, title=effect.begun.what, section=f"run {effect.run}", checks=(page,)
    )
