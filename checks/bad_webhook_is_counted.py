"""A webhook with an invalid signature is refused, and is counted: received and failed move by that one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from opsconsole.checkkit import Effects, Finding, Prometheus, Seen, Service, Unseen, first_scrape, until

DIAGNOSIS = ("service_answers", "metrics_endpoint_answers", "target_is_up")

_TRIES = 3
_COUNTED_AT_ONCE_SECONDS = 2.0


async def check(
    prometheus: Prometheus, service: Service, effects: Effects, *, received: str, failed: str
) -> AsyncIterator[Finding | Seen]:
    """Send one, and see the counters move: on the target at once, in Prometheus within two scrapes.

    Other webhooks may fail at the same time: where the counters moved by more than the one that was
    sent it is tried again, three times at most.
    """
    await first_scrape(prometheus, service.job)
    up = [target for target in await prometheus.targets(service.job) if target.health == "up"]
    if not up:
        raise Unseen(f"no target of {service.job} is up, so nothing that is sent would be seen in Prometheus")
    interval = max(target.scrape_interval_seconds for target in up)
    counters = _Counters(
        prometheus, service, received, failed, on_target=len(up) == 1 and bool(service.metrics_url)
    )
    for _ in range(_TRIES):
        before = await counters.read()
        answer = await effects.refused_webhook()
        if not 400 <= answer.status < 500:
            yield _not_refused(answer.status)
            return
        moved = await counters.moved(before, interval)
        if max(moved.values()) <= 1:
            break
    else:
        raise Unseen(
            f"other webhooks failed at the same time, {_TRIES} times over: the one sent cannot be told apart"
        )
    if still := [name for name, by in moved.items() if by < 1]:
        for name in still:
            yield Finding(
                subject=name,
                summary=f"did not move, though the webhook was refused with {answer.status}",
                remedy="does the controller emit the telemetry event also where it refuses?",
            )
        return
    yield Seen(f"refused with {answer.status}; received and failed each moved by that one")
    if counters.on_target:
        if await counters.reached_prometheus(before, interval):
            yield Seen("Prometheus has it within two scrapes")
        else:
            yield Finding(
                summary="the counters moved on the target, and not in Prometheus within two scrapes"
            )


@dataclass
class _Counters:
    """The two counters of failed webhooks, read where they can be read soonest."""

    prometheus: Prometheus
    service: Service
    received: str
    failed: str
    on_target: bool

    async def read(self) -> dict[str, float]:
        """Both totals; 0 for a counter that has no series yet."""
        if not self.on_target:
            return await self._stored()
        return {
            self.received: await self.service.total(self.received, status="failed"),
            self.failed: await self.service.total(self.failed),
        }

    async def moved(self, before: dict[str, float], interval: float) -> dict[str, float]:
        """By how much each has moved as soon as both have, else when it is too late."""
        latest = dict(before)

        async def both() -> bool:
            latest.update(await self.read())
            return all(latest[name] > before[name] for name in before)

        within = _COUNTED_AT_ONCE_SECONDS if self.on_target else 2 * interval + 1
        await until(both, within_seconds=within, what="the counters to move")
        return {name: latest[name] - before[name] for name in before}

    async def reached_prometheus(self, before: dict[str, float], interval: float) -> bool:
        """Whether Prometheus shows within two scrapes that both have moved."""

        async def reached() -> bool:
            stored = await self._stored()
            return all(stored[name] > before[name] for name in before)

        return bool(await until(reached, within_seconds=2 * interval + 1, what="two scrapes"))

    async def _stored(self) -> dict[str, float]:
        job = self.service.job
        queries = {
            self.received: f'sum({self.received}{{job="{job}",status="failed"}})',
            self.failed: f'sum({self.failed}{{job="{job}"}})',
        }
        answers = {name: await self.prometheus.query(query) for name, query in queries.items()}
        return {name: samples[0].value if samples else 0.0 for name, samples in answers.items()}


def _not_refused(status: int) -> Finding:
    if status < 300:
        return Finding(
            summary=f"a webhook with an invalid signature was ACCEPTED (status {status})",
            detail="anybody can tell the billing service that an invoice was paid",
            remedy="verify the signature before anything else; treat this as an incident",
        )
    return Finding(summary=f"a webhook with an invalid signature was answered with {status}, not refused")
