"""A test alert straight to Alertmanager, followed to people and back: for testing a route alone."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from opsconsole.checkkit import performing
from opsconsole.clients.effects import DRILL, Effects, SentAlert
from opsconsole.clients.inbox import make_all
from opsconsole.config import Environment
from opsconsole.engine.record import Recorder
from opsconsole.errors import ConfigError, OpsconsoleError, RecordsError, TimedOut
from opsconsole.model import (
    Hop,
    ItemFinished,
    ItemStarted,
    ItemSummary,
    Observed,
    Outcome,
    Planned,
    RunFinished,
    Seen,
    exit_code,
    worst,
)
from opsconsole.reports.wording import duration
from opsconsole.session import learn_secrets, open_clients
from opsconsole.walkthrough.follow import Follower
from opsconsole.walkthrough.recording import begin
from opsconsole.walkthrough.sight import Sight
from opsconsole.walkthrough.tracing import Stopped, Tracing
from opsconsole.walkthrough.way import TestAlert, Way, amtool_form, curl_form, foreseen

KIND = "alert-send"
WAY, CURL, AMTOOL = "way", "curl", "amtool"
"""Subjects under which the way and the lines to copy are recorded."""

_QUICK_LOOK_SECONDS, _LOOK_SECONDS, _LONG_WAIT_SECONDS = 0.2, 2.0, 10.0
_TAKEN_WITHIN_SECONDS = 20.0


@asynccontextmanager
async def open_sending(
    environment: Environment, recorder: Recorder, alert: TestAlert
) -> AsyncIterator["Sending"]:
    """Open the environment and record that the run begins; closes its connections at the end.

    Raises ConfigError where the environment names no Alertmanager.
    """
    if environment.alertmanager is None:
        raise ConfigError("names no alertmanager to send a test alert to", where=environment.source)
    learn_secrets(environment)
    clients = open_clients(environment, recorder, recorder.run)
    inboxes = make_all(environment, recorder.exchange)
    try:
        sight = Sight(
            environment=environment,
            prometheus=clients.by_name["prometheus"],
            alertmanager=clients.by_name["alertmanager"],
            inboxes=inboxes,
            mail_server=clients.by_name["mail_server"],
        )
        title = f"A test alert {alert.name}"
        item = ItemSummary(id=alert.name, title=title, section="Delivery", checks=("test_alert_arrives",))
        begin(recorder, environment, kind=KIND, title=title, items=(item,))
        yield Sending(sight, clients.by_name["effects"], recorder, alert)
    finally:
        for inbox in {id(inbox): inbox for inbox in inboxes.values()}.values():
            await inbox.close()
        await clients.close()


@dataclass
class Sending:
    """One test alert on its way."""

    sight: Sight
    effects: Effects
    recorder: Recorder
    alert: TestAlert
    tracing: Tracing = field(init=False)
    _stopped: Stopped | None = None
    _unseen: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.tracing = Tracing(self.alert.name, self.recorder.emit)

    async def run(self) -> int:
        """Send it, follow it, take it back; returns the exit code. Never raises, except when it is cancelled
        or cannot be recorded."""
        began = time.monotonic()
        self.recorder.emit(ItemStarted(item=self.alert.name))
        token = performing.set(self.tracing)
        try:
            await self._through()
        except Stopped as stopped:
            self._miss(stopped)
        except RecordsError:
            raise
        except OpsconsoleError as error:
            self._miss(Stopped(self.tracing.next_hop, str(error), outcome=Outcome.UNKNOWN))
        except asyncio.CancelledError:
            self._miss(Stopped(self.tracing.next_hop, "interrupted", outcome=Outcome.UNKNOWN))
            self._finish(began)
            raise
        finally:
            performing.reset(token)
        return self._finish(began)

    async def _through(self) -> None:
        way = await foreseen(self.sight, self.alert, self.recorder.run)
        self._tell(way)
        if way.obstacles:
            first = way.obstacles[0]
            raise Stopped(
                first.hop,
                "it was not sent: " + "; ".join(one.summary for one in way.obstacles),
                outcome=worst(one.outcome for one in way.obstacles),
                remedy=first.remedy,
            )
        follower = Follower(
            self.sight, self.tracing, self.alert.name, self.recorder.run,
            _LOOK_SECONDS if way.group_wait_seconds > _LONG_WAIT_SECONDS else _QUICK_LOOK_SECONDS,
        )  # fmt: skip
        await follower.begin()
        try:
            async with self.effects.test_alert(self.alert.labels, self.alert.annotations) as sent:
                try:
                    await self._to_people(follower, sent)
                except Stopped as stopped:
                    self._miss(stopped)
        except TimedOut as error:
            if Hop.CAUSE not in self.tracing.hops:
                raise
            raise Stopped(
                Hop.RESOLVED, str(error), outcome=Outcome.UNKNOWN, remedy="opsconsole cleanup"
            ) from error  # fmt: skip
        self.tracing.reached(Hop.RESOLVED, "resolved, and Alertmanager holds it no more")
        if Hop.DELIVERED in self.tracing.hops and follower.way:
            await follower.notices(follower.way)
        self.tracing.reached(Hop.CLEAN, "nothing of the test is left")
        self._unseen = tuple(str(target) for target in follower.unseen)

    async def _to_people(self, follower: Follower, sent: SentAlert) -> None:
        self.tracing.reached(Hop.CAUSE, f"posted, marked with {self.recorder.run}", sent.sent_at)

        async def held() -> bool:
            return bool(await self.sight.alertmanager.alerts(*sent.filters))

        if not await self.tracing.until(
            held,
            within_seconds=_TAKEN_WITHIN_SECONDS,
            every_seconds=_QUICK_LOOK_SECONDS,
            what="Alertmanager to show the alert",
        ):
            raise Stopped(Hop.ALERTMANAGER, "Alertmanager took the alert, and does not show it")
        way = await follower.held(sent.filters)
        await follower.delivered(way)

    def _tell(self, way: Way) -> None:
        server = self.sight.environment.alertmanager
        assert server is not None  # noqa: S101 - see open_sending
        name, emit = self.alert.name, self.recorder.emit
        emit(Planned(item=name, plan=way.plan(self.alert, self.recorder.run, self.sight.alertmanager.url)))
        shown = TestAlert(self.alert.labels, _as_sent(self.alert.annotations))
        for subject, lines in (
            (WAY, way.lines()),
            (CURL, [curl_form(shown, server)]),
            (AMTOOL, [amtool_form(shown, server)]),
        ):
            for line in lines:
                emit(Observed(item=name, seen=Seen(line, subject=subject)))

    def _miss(self, stopped: Stopped) -> None:
        """The first place where it stopped is what counts."""
        if self._stopped is None:
            self._stopped = stopped
            self.tracing.missed(stopped)

    def _finish(self, began: float) -> int:
        outcome, summary, question = self._verdict()
        seconds = time.monotonic() - began
        self.recorder.emit(
            ItemFinished(
                item=self.alert.name, outcome=outcome, summary=summary, seconds=seconds, question=question
            )
        )
        code = exit_code([outcome])
        self.recorder.emit(RunFinished(exit_code=code, seconds=seconds))
        return code

    def _verdict(self) -> tuple[Outcome, str, str]:
        if self._stopped is not None:
            return self._stopped.outcome, f"stopped before {self._stopped.hop}: {self._stopped.because}", ""
        hops = self.tracing.hops
        sent_at = hops[Hop.CAUSE].reached_at
        told = [
            f"{words} after {duration(max(0.0, hops[hop].reached_at - sent_at))}"
            for hop, words in ((Hop.DELIVERED, "delivered"), (Hop.NOTICE, "resolved notice delivered"))
            if hop in hops
        ]
        summary = "; ".join([*told, "taken back"])
        if self._unseen:
            people = ", ".join(self._unseen)
            return Outcome.SIGN_OFF, summary, f"Did the message with {self.recorder.run} arrive at {people}?"
        return Outcome.PASS, summary, ""


def _as_sent(annotations: Mapping[str, str]) -> dict[str, str]:
    return {**annotations, "summary": f"{DRILL}. {annotations.get('summary', '')}".strip()}
