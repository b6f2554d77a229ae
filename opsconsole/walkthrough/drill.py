"""The alert test: a plan for each alert, then each tested; those that share a metric in turn."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from opsconsole.checkkit import performing
from opsconsole.clients.prometheus import Rule
from opsconsole.engine.record import Recorder
from opsconsole.errors import RecordsError, Unseen, UsageError
from opsconsole.faults import Means, named
from opsconsole.model import (
    AlertPlan,
    ItemFinished,
    ItemStarted,
    Obstacle,
    Outcome,
    Planned,
    RunFinished,
    SignedOff,
    exit_code,
    worst,
)
from opsconsole.walkthrough.cost import goal_of
from opsconsole.walkthrough.gauge import Gauge
from opsconsole.walkthrough.holding import Neighbours
from opsconsole.walkthrough.plan import plans
from opsconsole.walkthrough.siblings import companions, judges
from opsconsole.walkthrough.sight import Sight
from opsconsole.walkthrough.tracing import Evidence, Tracing
from opsconsole.walkthrough.trial import Cause, Pace, Trial, Verdict

_USUAL_INTERVAL_SECONDS = 60.0
"""Prometheus' own default for scrapes and evaluations, where it does not tell."""

_INTERRUPTED = Verdict(Outcome.UNKNOWN, "interrupted before it began")


@dataclass
class Drill:
    """One run of the alert test. `alerts` are its items, in order; `means` opens the way to the service, None
    where the environment names none; `elsewhere` names the run of another console that tests an alert."""

    sight: Sight
    recorder: Recorder
    alerts: tuple[str, ...]
    means: Means | None
    watch_seconds: float | None = None
    elsewhere: Callable[[str], str] = lambda alert: ""
    plans: dict[str, AlertPlan] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    _evidence: Evidence = field(default_factory=Evidence)
    _touched: dict[str, set[str]] = field(default_factory=dict)
    _done: dict[str, asyncio.Event] = field(default_factory=dict)

    async def prepare(self) -> None:
        """Plan every alert; nothing is sent."""
        try:
            made = await plans(self.sight, self.alerts)
        except Unseen as error:
            blind = Obstacle(outcome=Outcome.UNKNOWN, summary=str(error))
            made = [AlertPlan(alert=alert, obstacles=(blind,)) for alert in self.alerts]
        for plan in made:
            self.plans[plan.alert] = plan
            self.recorder.emit(Planned(item=plan.alert, plan=plan))

    def only_plan(self) -> int:
        """End the run with the plans alone, and return its exit code: nothing was sent, so nothing passed."""
        for alert, plan in self.plans.items():
            self.recorder.emit(ItemStarted(item=alert))
            why_not = "; ".join(obstacle.summary for obstacle in plan.obstacles)
            outcome = worst(obstacle.outcome for obstacle in plan.obstacles)
            summary = f"cannot succeed: {why_not}" if why_not else "planned, and nothing was sent"
            self._finish(alert, Verdict(outcome, summary), time.monotonic())
        code = exit_code(self.outcomes.values())
        self.recorder.emit(RunFinished(exit_code=code, seconds=0.0))
        return code

    async def run(self, ids: Collection[str] | None = None) -> int:
        """Test the alerts named, and return the run's exit code.

        Without names: those that have no outcome yet, or all again where all have one.
        """
        began = time.monotonic()
        again = not self.plans or bool(self.outcomes)
        if ids is None:
            ids = set(self.alerts) - self.outcomes.keys() or set(self.alerts)
        if again:
            await self.prepare()
        chosen = [alert for alert in self.alerts if alert in ids]
        self._done = {alert: asyncio.Event() for alert in chosen}
        try:
            async with asyncio.TaskGroup() as group:
                for alert in chosen:
                    group.create_task(self._test(self.plans[alert]), name=alert)
        except* RecordsError as several:  # what cannot be recorded is not gone on with
            raise several.exceptions[0] from None
        finally:
            code = exit_code(self.outcomes.get(alert, Outcome.UNKNOWN) for alert in self.alerts)
            self.recorder.emit(RunFinished(exit_code=code, seconds=time.monotonic() - began))
        return code

    def sign_off(self, item: str, *, who: str, passed: bool, note: str, by_person: bool = True) -> None:
        """Record a judgement on an alert that waits for one. Raises UsageError for any other."""
        if self.outcomes.get(item) is not Outcome.SIGN_OFF:
            raise UsageError(f"{item!r} does not wait for a sign-off")
        self.recorder.emit(SignedOff(item=item, who=who, passed=passed, note=note, by_person=by_person))
        self.outcomes[item] = Outcome.PASS if passed else Outcome.FAIL

    async def _test(self, plan: AlertPlan) -> None:
        alert = plan.alert
        tracing = Tracing(alert, self.recorder.emit, self._evidence)
        performing.set(tracing)
        trial: Trial | None = None
        began = time.monotonic()
        try:
            for earlier in plan.after:
                if earlier in self._done and not self._done[earlier].is_set():
                    tracing.waits(f"the test of {earlier}, with which it shares a metric", 0.0)
                    await self._done[earlier].wait()
            began = time.monotonic()
            self.recorder.emit(ItemStarted(item=alert))
            self._touched.setdefault(alert, {alert})
            trial = await self._trial(plan, tracing)
            verdict = await trial.run()
        except asyncio.CancelledError:
            self._finish(alert, trial.verdict() if trial else _INTERRUPTED, began)
            raise
        except RecordsError:
            raise
        except Exception as error:  # the others go on
            verdict = Verdict(Outcome.BROKEN, f"a defect of opsconsole: {type(error).__name__}: {error}")
        finally:
            self._done[alert].set()
        self._finish(alert, verdict, began)

    def _finish(self, alert: str, verdict: Verdict, began: float) -> None:
        self.outcomes[alert] = verdict.outcome
        self.recorder.emit(
            ItemFinished(
                item=alert,
                outcome=verdict.outcome,
                summary=verdict.summary,
                seconds=time.monotonic() - began,
                question=verdict.question,
            )
        )

    async def _trial(self, plan: AlertPlan, tracing: Tracing) -> Trial:
        rules = await self._rules()
        pace = await self._pace(plan, rules)
        return Trial(
            plan=plan,
            sight=self.sight,
            tracing=tracing,
            pace=pace,
            cause=None if plan.obstacles else self._cause(plan, pace),
            neighbours=self._neighbours(plan, rules),
            watch_seconds=self.watch_seconds,
            elsewhere=lambda: self.elsewhere(plan.alert),
        )

    def _cause(self, plan: AlertPlan, pace: Pace) -> Cause | None:
        if not plan.fault or self.means is None:
            return None
        fault = named(plan.fault)
        gauge, goal = Gauge.of(plan.expr, fault), None
        if fault.counted:
            goal = goal_of(plan, gauge, fault, self.means.settings, scrape_seconds=pace.scrape_seconds)
        return Cause(fault, self.means, gauge, goal)

    async def _rules(self) -> list[Rule]:
        try:
            return [rule for rule in await self.sight.prometheus.rules() if rule.kind == "alerting"]
        except Unseen:
            return []

    async def _pace(self, plan: AlertPlan, rules: list[Rule]) -> Pace:
        service = self.sight.environment.service
        try:
            targets = await self.sight.prometheus.targets(service.job if service else None)
        except Unseen:
            targets = []
        scrape = max((target.scrape_interval_seconds for target in targets), default=_USUAL_INTERVAL_SECONDS)
        evaluations = [rule.interval_seconds for rule in rules if rule.name == plan.alert]
        return Pace(scrape, max(evaluations, default=_USUAL_INTERVAL_SECONDS))

    def _neighbours(self, plan: AlertPlan, rules: list[Rule]) -> Neighbours:
        """What one test of this run has touched may be awake beside the others to the end: a warning outlasts
        the critical alert whose test has passed its threshold."""
        loaded = judges(rules)
        sides = {judge.name: judge.comparison.left for judge in loaded if judge.comparison}
        passed = {
            other.name for ours in loaded if ours.name == plan.alert for other in companions(ours, loaded)
        }
        beside = {name for name, left in sides.items() if left == sides.get(plan.alert)}
        awake = {rule.name for rule in rules if rule.alerts}
        self._touched[plan.alert] = beside | passed
        return Neighbours(
            allowed=lambda: awake.union(*self._touched.values()), above=beside - passed - {plan.alert}
        )


def everything(drills: Iterable[str], rules: Iterable[Rule]) -> tuple[str, ...]:
    """Every alert that there is to test: the loaded ones in their order, then those that should be loaded."""
    loaded = dict.fromkeys(rule.name for rule in rules if rule.kind == "alerting")
    return tuple({**loaded, **dict.fromkeys(drills)})
