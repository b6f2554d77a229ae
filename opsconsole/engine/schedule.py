"""Work through a checklist: all items side by side, each with its diagnosis where it does not pass."""

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from opsconsole.engine import checklist as checklists
from opsconsole.engine.checklist import Checklist, Item, Use
from opsconsole.engine.discover import Check
from opsconsole.engine.perform import Perform, Result
from opsconsole.engine.record import Recorder
from opsconsole.errors import ChecklistError, RecordsError, UsageError
from opsconsole.model import (
    Diagnosed,
    ItemFinished,
    ItemStarted,
    Outcome,
    RunFinished,
    RunResumed,
    RunStarted,
    SignedOff,
    exit_code,
    worst,
)


@dataclass
class Verification:
    """One run over one environment.

    `clients` maps the names in `opsconsole.engine.discover.CLIENTS` to clients, None where the
    environment names no such server; `effects` is left out where nothing may be changed. `sign_offs`
    maps items to the note with which the environment's configuration signs them.
    """

    checklist: Checklist
    checks: Mapping[str, Check]
    clients: Mapping[str, object | None]
    recorder: Recorder
    environment: str
    check_timeout_seconds: float
    sign_offs: Mapping[str, str] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    _diagnoses: dict[str, "asyncio.Task[Result]"] = field(default_factory=dict)

    def start(self, *, who: str, host: str, protected: bool, versions: dict[str, str]) -> None:
        """Record that the run begins."""
        self.recorder.emit(
            RunStarted(
                run=self.recorder.run,
                environment=self.environment,
                protected=protected,
                effects=self.clients.get("effects") is not None,
                checklist=self.checklist.title,
                checklist_hash=self.checklist.hash,
                items=tuple(item.summary for item in self.checklist.items),
                who=who,
                host=host,
                versions=versions,
            )
        )

    def resume(self, outcomes: Mapping[str, Outcome], *, who: str, host: str) -> None:
        """Record that a run which was cut off goes on, with the outcomes that it has already."""
        self.outcomes.update(outcomes)
        self.recorder.emit(RunResumed(who=who, host=host))

    async def run(self, ids: Collection[str] | None = None) -> int:
        """Work through the items named, and return the run's exit code.

        Without names: through those that have no outcome yet, or through all again where all have one.
        What an item became last is what counts.
        """
        began = time.monotonic()
        self._diagnoses.clear()
        if ids is None:
            ids = {item.id for item in self.checklist.items} - self.outcomes.keys() or self.outcomes.keys()
        items = [item for item in self.checklist.items if item.id in ids]
        try:
            async with asyncio.TaskGroup() as group:
                for item in items:
                    group.create_task(self._item(item), name=item.id)
        except* RecordsError as several:  # what cannot be recorded is not shown, and not gone on with
            raise several.exceptions[0] from None
        code = exit_code(self.outcomes.get(item.id, Outcome.UNKNOWN) for item in self.checklist.items)
        self.recorder.emit(RunFinished(exit_code=code, seconds=time.monotonic() - began))
        return code

    def sign_off(self, item: str, *, who: str, passed: bool, note: str, by_person: bool = True) -> None:
        """Record a judgement on an item that waits for one. Raises UsageError for any other item."""
        if self.outcomes.get(item) is not Outcome.SIGN_OFF:
            raise UsageError(f"{item!r} does not wait for a sign-off")
        self.recorder.emit(SignedOff(item=item, who=who, passed=passed, note=note, by_person=by_person))
        self.outcomes[item] = Outcome.PASS if passed else Outcome.FAIL

    async def _item(self, item: Item) -> None:
        began = time.monotonic()
        self.recorder.emit(ItemStarted(item=item.id))
        results = [await self._perform(item, use) for use in item.uses]
        outcome = worst(result.outcome for result in results)
        if outcome in (Outcome.FAIL, Outcome.UNKNOWN):
            await self._diagnose(
                item, [u for u, r in zip(item.uses, results, strict=True) if r.outcome is outcome]
            )
        decisive = [result for result in results if result.outcome is outcome]
        self.outcomes[item.id] = outcome
        self.recorder.emit(
            ItemFinished(
                item=item.id,
                outcome=outcome,
                summary="; ".join(result.summary for result in decisive),
                seconds=time.monotonic() - began,
                question=" ".join(result.question for result in decisive).strip(),
            )
        )
        if outcome is Outcome.SIGN_OFF and (note := self.sign_offs.get(item.id)):
            who = f"configuration of {self.environment}"
            self.sign_off(item.id, who=who, passed=True, note=note, by_person=False)

    async def _perform(self, item: Item, use: Use) -> Result:
        return await self._performance(item.id, use).result()

    def _performance(self, item: str, use: Use, *, silent: bool = False) -> Perform:
        return Perform(
            item=item,
            use=use,
            clients=self.clients,
            environment=self.environment,
            timeout_seconds=self.check_timeout_seconds,
            show=(lambda event: None) if silent else self.recorder.emit,
        )

    async def _diagnose(self, item: Item, failed: list[Use]) -> None:
        """Run the checks that the failed ones name, each once in a run, and record what they say."""
        symptoms = {name: use for use in reversed(failed) for name in use.check.diagnosis}
        for name in dict.fromkeys(name for use in failed for name in use.check.diagnosis):
            check = self.checks[name]
            if name not in self._diagnoses:
                self._diagnoses[name] = asyncio.create_task(self._diagnosis(item.id, check, symptoms[name]))
            result = await self._diagnoses[name]
            self.recorder.emit(
                Diagnosed(
                    item=item.id,
                    check=name,
                    title=check.title,
                    outcome=result.outcome,
                    summary=result.summary,
                )
            )

    async def _diagnosis(self, item: str, check: Check, symptom: Use) -> Result:
        alike = {name: value for name, value in symptom.settings.items() if name in check.settings}
        settings: dict[str, Any] = {**alike, **self._settings_in_checklist(check.id)}
        try:
            use = checklists.use(check, settings, self.checklist.common, f"diagnosis {check.id}")
        except ChecklistError as error:
            return Result(Outcome.SKIP, error.message)
        if check.acts:
            return Result(Outcome.SKIP, "a diagnosis changes nothing")
        return await self._performance(item, use, silent=True).result()

    def _settings_in_checklist(self, check: str) -> dict[str, Any]:
        """What the checklist gives this check elsewhere, so that its diagnosis looks at the same things."""
        return next((u.settings for i in self.checklist.items for u in i.uses if u.check.id == check), {})
