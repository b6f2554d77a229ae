"""The background traffic: plays the streams in real time and can be told to misbehave."""

import asyncio
import heapq
import random
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from opsconsole.lab.http import Invalid
from opsconsole.lab.service.metrics import Metrics
from opsconsole.lab.service.streams import Stream, streams

TICK_SECONDS = 0.05


@dataclass(frozen=True)
class Behaviour:
    """How the service behaves now. The defaults are a healthy service."""

    traffic: bool = True
    webhooks: bool = True  # whether webhooks arrive at all
    webhook_delay_milliseconds: float = 0.0  # added to the handling of every webhook
    payment_failure_share: float = 0.0  # of the payments that would succeed, so many fail
    webhook_failure_share: float = 0.0
    webhooks_believed: tuple[str, ...] = ()  # see `webhooks.BELIEVED`: what is taken for Stripe's, and is not
    withheld_families: tuple[str, ...] = ()  # prometheus_client's names, without `_total`
    counters_reset_every_seconds: float = 0.0  # as if it restarted so often; 0: never
    clock_behind_seconds: float = 0.0  # samples are stamped by a clock that is so far behind; 0: not stamped
    clock_ahead_seconds: float = 0.0
    new_label_values_per_scrape: float = 0.0  # so many new series of one metric with each answer

    def changed(self, wishes: dict[str, Any]) -> "Behaviour":
        """This behaviour with the wishes applied; a wish that is none is answered with 400."""
        kinds = {name: type(value) for name, value in asdict(Behaviour()).items()}
        for name, value in wishes.items():
            if name not in kinds:
                raise Invalid(400, f"no such setting: {name!r}; there are {', '.join(kinds)}")
            if not _fits(value, kinds[name]):
                raise Invalid(400, f"{name} cannot be {value!r}")
        changed = {name: kinds[name](value) for name, value in wishes.items()}
        return replace(self, **changed)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def _fits(value: object, kind: type) -> bool:
    if kind is bool:
        return isinstance(value, bool)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 60_000
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


class Traffic:
    """Plays the streams from the moment it is made; the same seed gives the same schedule."""

    def __init__(self, metrics: Metrics, seed: int) -> None:
        self._metrics = metrics
        self._rng = random.Random(seed)
        self._streams = streams(seed)
        self._counts = [0] * len(self._streams)
        self._due = [(self._moment(stream, 0), index) for index, stream in enumerate(self._streams)]
        heapq.heapify(self._due)
        self._owed = {"payment": 0.0, "webhook": 0.0}
        self._reset_at = 0.0
        self.behaviour = Behaviour()
        self.events = 0
        metrics.prepare(self._streams)

    async def play(self, pace: float = 1.0) -> None:
        """Play for ever, `pace` times as fast as the streams say."""
        started = time.monotonic()
        while True:
            self.play_until(pace * (time.monotonic() - started))
            self._reset(time.monotonic())
            await asyncio.sleep(TICK_SECONDS)

    def _reset(self, now: float) -> None:
        """Begin to count anew where it is time to."""
        every = self.behaviour.counters_reset_every_seconds
        if every and now >= self._reset_at + every:
            self._reset_at = now
            self._metrics.clear()
            self._metrics.prepare(self._streams)

    def play_until(self, seconds: float) -> None:
        """Play all occurrences up to so many seconds after the start."""
        while self._due[0][0] <= seconds:
            _, index = self._due[0]
            stream = self._streams[index]
            self._occur(stream, self._counts[index])
            self._counts[index] += 1
            heapq.heapreplace(self._due, (self._moment(stream, self._counts[index]), index))

    def _moment(self, stream: Stream, number: int) -> float:
        within = stream.phase + (1 - stream.phase) * self._rng.random()
        return (number + within) / stream.per_second

    def _occur(self, stream: Stream, number: int) -> None:
        behaviour = self.behaviour
        if not behaviour.traffic or (stream.subject == "webhook" and not behaviour.webhooks):
            return
        self.events += 1
        labels = dict(stream.labels)
        if not stream.failed and self._spoilt(stream.subject):
            labels["status"] = "failed"
            if stream.subject == "webhook":
                event_type = labels["event_type"]
                self._metrics.count(
                    "stripe_webhook_failed", event_type=event_type, failure_reason="handler_error"
                )
        self._metrics.count(stream.family, **labels)
        for family, other_labels in stream.beside:
            self._metrics.count(family, **dict(other_labels))
        delay = behaviour.webhook_delay_milliseconds if stream.subject == "webhook" else 0.0
        for observed in stream.observed:
            value = observed.values[number % len(observed.values)] + delay
            known = {name: labels.get(name, text) for name, text in observed.labels}
            self._metrics.observe(observed.family, value, **known)

    def _spoilt(self, subject: str) -> bool:
        """Whether this one fails by the share asked for: of ten at 0.3 every third or fourth."""
        if subject not in self._owed:
            return False
        share = getattr(self.behaviour, f"{subject}_failure_share")
        self._owed[subject] += share
        if self._owed[subject] < 1 or share == 0:
            return False
        self._owed[subject] -= 1
        return True
