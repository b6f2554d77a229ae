"""The cause held: a reading at each scrape, doses as the loop asks for them, an end at the first surprise."""

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import NoReturn

from opsconsole.clients.prometheus import Rule
from opsconsole.errors import Unseen
from opsconsole.faults import Doses, Unexpected
from opsconsole.model import Hop, Measured, Outcome
from opsconsole.walkthrough import why
from opsconsole.walkthrough.gauge import Gauge, Reading
from opsconsole.walkthrough.loop import CannotHold, Dose, Loop
from opsconsole.walkthrough.sight import Sight
from opsconsole.walkthrough.tracing import Stopped, Tracing, next_look

_PLAUSIBLE, _FEW = 2.0, 5.0
"""A rate is stretched to its window, and traffic varies: so much more may be counted than was sent."""


@dataclass(frozen=True)
class Neighbours:
    """The other alerts: `allowed` names those that may be pending or firing with nothing being wrong, `above`
    those on the same left side whose threshold is to be stayed below."""

    allowed: Callable[[], Collection[str]]
    above: Collection[str] = ()


@dataclass
class Holding:
    """Keeps one alert's cause there.

    `loop` None stands for a fault that is there by being open; `move_seconds` bounds the time until the value
    is over the threshold.
    """

    tracing: Tracing
    sight: Sight
    alert: str
    job: str
    gauge: Gauge
    doses: Doses
    loop: Loop | None
    look_seconds: float
    move_seconds: float
    neighbours: Neighbours
    sent: int = 0
    passing: int = 0
    given: str = ""
    peak: float | None = None
    before: float | None = None
    awaited: list[int] = field(default_factory=list)
    _read: Reading | None = None
    _giving: list["asyncio.Task[None]"] = field(default_factory=list)

    async def run(self) -> NoReturn:
        """Hold until cancelled. Raises Stopped at anything that was not counted on."""
        try:
            began = time.monotonic()
            while True:
                if (reading := await self._look()) is not None:
                    self._dose(reading)
                    await self._guard()
                self._see_answers()
                if Hop.METRIC not in self.tracing.hops and time.monotonic() - began > self.move_seconds:
                    raise await why.not_moved(self.sight, self.job, self._said())
                await next_look(self.look_seconds)
        except Unexpected as error:
            raise Stopped(Hop.CAUSE, str(error)) from error
        except CannotHold as error:
            raise Stopped(self.tracing.next_hop, str(error), outcome=Outcome.UNKNOWN) from error
        except Unseen as error:
            raise Stopped(
                self.tracing.next_hop, f"lost sight, so the fault was stopped: {error}",
                outcome=Outcome.UNKNOWN,
            ) from error  # fmt: skip
        finally:
            for giving in self._giving:
                giving.cancel()
            await asyncio.gather(*self._giving, return_exceptions=True)

    @property
    def spent(self) -> str:
        """What was sent so far, in words."""
        count = self.sent + self.passing
        passing = f", {self.passing} of them passing" if self.passing else ""
        return f"{count} request{'' if count == 1 else 's'}{passing}"

    async def _look(self) -> Reading | None:
        """Take a reading; None where there has been no scrape since the last one, or the last has failed."""
        reading = await self.gauge.read(self.sight.prometheus, self.job)
        if reading.scraped_at <= (self._read.scraped_at if self._read else 0.0):
            return None
        self._read = reading
        self._see_that_it_is_ours(reading)
        if reading.value is not None:
            self.peak = reading.value if self.peak is None else max(self.peak, reading.value)
        self.tracing.emit(
            Measured(
                item=self.alert, scraped_at=reading.scraped_at, value=reading.value, over=reading.over,
                sent=self.sent, passing=self.passing,
            )
        )  # fmt: skip
        if reading.over and Hop.CAUSE in self.tracing.hops and Hop.METRIC not in self.tracing.hops:
            comparison = self.gauge.comparison
            value = "more than finite" if reading.value is None else f"{reading.value:.4g}"
            after = f" after {self.spent}" if self.loop else ""
            told = f"{value} {comparison.op} {comparison.threshold:g}{after}"
            self.tracing.reached(Hop.METRIC, told, reading.scraped_at)
        return reading

    def _see_that_it_is_ours(self, reading: Reading) -> None:
        """What is counted before anything was sent, or is far more than what was, is something real."""
        if self.loop is None or Hop.METRIC in self.tracing.hops:
            return
        self.before = reading.bad if self.before is None else self.before
        others = f"{reading.bad:.0f} counted, {self.sent + sum(self.awaited)} sent"
        if reading.over and not self.sent and not any(self.awaited):
            because = f"over the threshold without anything having been sent ({others})"
        elif reading.over and reading.bad > _PLAUSIBLE * (self.before + self.sent + sum(self.awaited)) + _FEW:
            because = f"far more is counted than was sent ({others})"
        else:
            return
        remedy = "something real is going on beside the test: look at it first"
        raise Stopped(self.tracing.next_hop, because, outcome=Outcome.UNKNOWN, remedy=remedy)

    def _dose(self, reading: Reading) -> None:
        """Send what is due; the answers come while the next readings are taken."""
        if self.loop is not None:
            dose = self.loop.next(reading, time.time())
        else:
            dose = Dose(0, 0)
            if self._giving or Hop.CAUSE in self.tracing.hops:
                return
        if self.loop is None or dose != (0, 0):
            self.awaited.append(dose.bad)
            self._giving.append(asyncio.create_task(self._give(dose)))

    async def _give(self, dose: Dose) -> None:
        began = time.time()
        self.given = await self.doses.give(dose.bad, dose.passing)
        self.awaited.remove(dose.bad)
        self.sent, self.passing = self.sent + dose.bad, self.passing + dose.passing
        if self.loop is not None:
            self.loop.gave(dose, time.time())
        if Hop.CAUSE not in self.tracing.hops and (dose.bad or self.loop is None):
            many = f"{dose.bad} to begin with: " if dose.bad else ""
            self.tracing.reached(Hop.CAUSE, many + self.given, began)

    def _see_answers(self) -> None:
        """What was not answered as it should be is raised here."""
        for giving in [giving for giving in self._giving if giving.done()]:
            self._giving.remove(giving)
            giving.result()

    def _said(self) -> str:
        return f"{self.spent}, the last answered {self.given}" if self.given else "nothing yet"

    async def _guard(self) -> None:
        """An alert beside this one, that is not under test and is not bound to go with it, ends the fault.

        When it fires, or has been pending for half of its `for`: busy traffic may touch a threshold.
        """
        allowed = {self.alert, *self.neighbours.allowed()}
        for rule in await self.sight.prometheus.rules():
            if not _awake(rule) or rule.name in allowed.difference(self.neighbours.above):
                continue
            if rule.name in self.neighbours.above:
                because = f"the value could not be held below the threshold of {rule.name}"
                remedy = "test again when there is steadier traffic"
            else:
                because = f"{rule.name} went {rule.state} beside it, so the fault was stopped at once"
                remedy = f"if {rule.name} is real, answer it first; then test again"
            raise Stopped(self.tracing.next_hop, because, outcome=Outcome.UNKNOWN, remedy=remedy)


def _awake(rule: Rule) -> bool:
    since = min((alert.active_at for alert in rule.alerts), default=rule.last_evaluation)
    return rule.state == "firing" or rule.last_evaluation - since > rule.for_seconds / 2
