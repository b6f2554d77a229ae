"""One alert tested: steady state, the cause held over the threshold, the signal followed, the end proved."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from opsconsole.checkkit import lasting
from opsconsole.errors import OpsconsoleError, RecordsError, Unseen
from opsconsole.faults import Doses, Fault, Means, Unexpected
from opsconsole.model import AlertPlan, Hop, Outcome, worst
from opsconsole.walkthrough.follow import Follower
from opsconsole.walkthrough.gauge import Gauge
from opsconsole.walkthrough.holding import Holding, Neighbours
from opsconsole.walkthrough.loop import Goal, Loop
from opsconsole.walkthrough.sight import Sight
from opsconsole.walkthrough.steady import Unsteady, steady
from opsconsole.walkthrough.tracing import Stopped, Tracing

_LONGEST_LOOK_SECONDS = 2.0
_SHORTEST_LOOK_SECONDS = 0.05
_SCRAPES_TO_MOVE = 20
_SLACK_SECONDS = 30.0


@dataclass(frozen=True)
class Verdict:
    """What became of one alert's test, in one line; `question` is set where a person has the last word."""

    outcome: Outcome
    summary: str
    question: str = ""


@dataclass(frozen=True)
class Pace:
    """How fast things happen in this environment."""

    scrape_seconds: float
    evaluation_seconds: float

    @property
    def look_seconds(self) -> float:
        """How often to look: once in whatever is shorter."""
        shorter = min(self.scrape_seconds, self.evaluation_seconds)
        return min(_LONGEST_LOOK_SECONDS, max(_SHORTEST_LOOK_SECONDS, shorter))


@dataclass(frozen=True)
class Cause:
    """How the alert is brought about: the fault, how to open it, what to read, where to hold it (None: a
    fault that is not counted)."""

    fault: Fault
    means: Means
    gauge: Gauge
    goal: Goal | None


@dataclass
class Trial:
    """`cause` is None for an alert that nothing brings about here; it is watched for `watch_seconds` where
    that is set."""

    plan: AlertPlan
    sight: Sight
    tracing: Tracing
    pace: Pace
    cause: Cause | None
    neighbours: Neighbours
    watch_seconds: float | None = None
    elsewhere: Callable[[], str] = lambda: ""
    follower: Follower = field(init=False)
    _holding: Holding | None = None
    _stopped: Stopped | None = None

    def __post_init__(self) -> None:
        alert = self.plan.alert
        self.follower = Follower(self.sight, self.tracing, alert, alert, self.pace.look_seconds)

    async def run(self) -> Verdict:
        """Test the alert. Never raises, except when it is cancelled or cannot be recorded."""
        try:
            await self._begin()
            await (self._watch() if self.cause is None else self._bring_about(self.cause))
        except Stopped as stopped:
            self._miss(stopped)
        except RecordsError:
            raise
        except Unsteady as unsteady:
            self._miss(
                Stopped(
                    Hop.STEADY, f"nothing was sent: {unsteady.because}", outcome=unsteady.outcome,
                    looked_at=unsteady.looked_at, remedy=unsteady.remedy,
                )
            )  # fmt: skip
        except OpsconsoleError as error:
            outcome = Outcome.FAIL if isinstance(error, Unexpected) else Outcome.UNKNOWN
            self._miss(Stopped(self.tracing.next_hop, str(error), outcome=outcome))
        except asyncio.CancelledError:
            self._miss(Stopped(self.tracing.next_hop, "interrupted", outcome=Outcome.UNKNOWN))
            raise
        return self.verdict()

    def verdict(self) -> Verdict:
        """What has become of it so far."""
        if (stopped := self._stopped) is not None:
            return Verdict(stopped.outcome, f"stopped before {stopped.hop}: {stopped.because}")
        if self.cause is not None and not {Hop.CAUSE, Hop.METRIC} <= self.tracing.hops.keys():
            return Verdict(Outcome.UNKNOWN, "it went off without this test having brought it about")
        summary = self._summary()
        if self.tracing.doubt:
            return Verdict(Outcome.UNKNOWN, self.tracing.doubt)
        if unseen := self.follower.unseen:
            people = ", ".join(str(target) for target in unseen)
            return Verdict(
                Outcome.SIGN_OFF,
                summary,
                f"Did the notification of {self.plan.alert}, and its resolved notice, arrive at {people}?",
            )
        return Verdict(Outcome.PASS, summary)

    async def _begin(self) -> None:
        """Steady state, or nothing is injected."""
        self._clear()
        self.tracing.reached(Hop.STEADY, await steady(self.sight, self.plan))
        await self.follower.begin()

    def _clear(self) -> None:
        """Nothing in the plan is in the way. Raises Stopped."""
        watched = self.cause is None and self.watch_seconds is not None
        obstacles = [one for one in self.plan.obstacles if not (watched and one.hop is Hop.CAUSE)]
        if obstacles:
            raise Stopped(
                obstacles[0].hop,
                "nothing was sent: " + "; ".join(one.summary for one in obstacles),
                outcome=worst(one.outcome for one in obstacles),
                remedy=obstacles[0].remedy,
            )

    async def _watch(self) -> None:
        await self._to_the_inbox(self.watch_seconds or 0.0)
        await self._to_rest(self.watch_seconds or 0.0)

    async def _bring_about(self, cause: Cause) -> None:
        opened = False
        try:
            async with cause.fault.open(cause.means) as doses:
                opened = True
                try:
                    self._see_that_it_is_alone()
                    self._holding = self._held(cause, doses)
                    await _first_of(self._holding.run(), self._to_the_inbox(self._holding.move_seconds))
                except Stopped as stopped:
                    self._miss(stopped)
        except Unseen as error:
            if not opened:
                raise
            raise Stopped(
                Hop.CLEAN, f"the end of the fault was not seen: {error}", outcome=Outcome.UNKNOWN,
                remedy="opsconsole cleanup",
            ) from error  # fmt: skip
        self.tracing.reached(Hop.STOPPED, self._spent())
        await self._to_rest(cause.gauge.window_seconds)
        self.tracing.reached(Hop.CLEAN, "the fault's end was seen, and nothing of the test is left")

    def _see_that_it_is_alone(self) -> None:
        """Looked at when this fault is in the journal: of two consoles at least one sees the other's."""
        if run := self.elsewhere():
            because = f"run {run} of another console brings the same alert about: whose it is cannot be told"
            raise Stopped(Hop.CAUSE, because, outcome=Outcome.UNKNOWN, remedy="test again when it has ended")

    def _held(self, cause: Cause, doses: Doses) -> Holding:
        moves_within = 0.0 if cause.fault.counted else cause.gauge.window_seconds
        settings = self.sight.environment.service
        return Holding(
            tracing=self.tracing,
            sight=self.sight,
            alert=self.plan.alert,
            job=settings.job if settings else "",
            gauge=cause.gauge,
            doses=doses,
            loop=Loop(cause.goal) if cause.goal else None,
            look_seconds=self.pace.look_seconds,
            move_seconds=moves_within + _SCRAPES_TO_MOVE * self.pace.scrape_seconds + _SLACK_SECONDS,
            neighbours=self.neighbours,
        )

    async def _to_the_inbox(self, moves_within: float) -> None:
        evaluations = 3 * (self.pace.scrape_seconds + self.pace.evaluation_seconds)
        lasts = self.plan.for_seconds
        if lasts:
            expected = self.plan.pending_seconds or None
            await self.follower.pending(moves_within + evaluations + _SLACK_SECONDS, expected)
        within = moves_within + 2 * lasts + evaluations + _SLACK_SECONDS
        await self.follower.firing(lasts, within, lasts or self.plan.firing_seconds or None)
        way = await self.follower.held(self._filters)
        people = [str(target) for target in way.targets]
        if self.plan.recipients and set(people) != set(self.plan.recipients):
            planned = ", ".join(self.plan.recipients)
            raise Stopped(Hop.RECEIVER, f"goes to {', '.join(people)}, and not to {planned} as planned")
        await self.follower.delivered(way)

    async def _to_rest(self, drains_within: float) -> None:
        """At rest again: the window has to empty first. What was told to somebody is taken back; where it
        stopped on its way to people already, its notice is not waited for."""
        evaluations = 3 * (self.pace.scrape_seconds + self.pace.evaluation_seconds)
        if Hop.PENDING in self.tracing.hops or Hop.FIRING in self.tracing.hops:
            expected = drains_within + evaluations
            await self.follower.rested(self._filters, expected + 2 * _SLACK_SECONDS, expected)
        if Hop.RECEIVER in self.tracing.hops and self.follower.way is not None and not self._stopped:
            await self.follower.notices(self.follower.way)

    @property
    def _filters(self) -> list[str]:
        return [f'alertname="{self.plan.alert}"']

    def _miss(self, stopped: Stopped) -> None:
        """The first place where it stopped is what counts."""
        if self._stopped is None:
            self._stopped = stopped
            self.tracing.missed(stopped)

    def _spent(self) -> str:
        holding = self._holding
        if holding is None or holding.loop is None:
            return "the fault has ended"
        peak = "" if holding.peak is None else f", value at most {holding.peak:.4g}"
        return f"{holding.spent}{peak}"

    def _summary(self) -> str:
        hops = self.tracing.hops
        start = hops.get(Hop.CAUSE) or hops.get(Hop.PENDING) or hops.get(Hop.FIRING)
        told = []
        for hop, words in ((Hop.DELIVERED, "to the inbox"), (Hop.NOTICE, "to the resolved notice")):
            if start and hop in hops:
                told.append(f"{words} {lasting(max(0.0, hops[hop].reached_at - start.reached_at))}")
        if self._holding and self._holding.loop:
            told.append(self._holding.spent)
        return ("from cause " if start else "") + ", ".join(told)


async def _first_of(endless: Coroutine[Any, Any, Any], work: Coroutine[Any, Any, None]) -> None:
    """Do the work while the other goes on; what the other raises ends the work."""
    beside, main = asyncio.create_task(endless), asyncio.create_task(work)
    try:
        await asyncio.wait((beside, main), return_when=asyncio.FIRST_COMPLETED)
        if beside.done():
            beside.result()
        await main
    finally:
        for task in (beside, main):
            task.cancel()
        await asyncio.gather(beside, main, return_exceptions=True)
