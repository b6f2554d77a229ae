"""A webhook with an invalid signature is refused, and is counted: received and failed move by that one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from opsconsole.checkkit import (
    Answer,
    Effects,
    Finding,
    Prometheus,
    Seconds,
    Seen,
    Service,
    Unseen,
    first_scrape,
    lasting,
    stamped_wrongly,
    until,
)

DIAGNOSIS = ("service_answers", "metrics_endpoint_answers", "target_is_up")

_TRIES = 3
_COUNTED_AT_ONCE_SECONDS = 2.0
_LONGEST_INTERVAL_SECONDS = 120.0

_REFUSED = 400
_NOTHING_THERE = (404, 405, 410)
_EXCERPT = 200

_ACCEPTED_BECAUSE = {
    "an invalid signature": "verify the signature before anything else; treat this as an incident",
    "no signature": "refuse what has no stripe-signature header; treat this as an incident",
    "a signature made with an empty secret": "its webhook secret is not set: set it, and have the service "
    "refuse to start without; treat this as an incident",
}
_OTHER_FORGERIES = ("no signature", "a signature made with an empty secret")

_Totals = dict[str, float]


async def check(
    prometheus: Prometheus,
    service: Service,
    effects: Effects,
    *,
    received: str,
    failed: str,
    webhook_answer_seconds: Seconds = 5.0,
) -> AsyncIterator[Finding | Seen]:
    """Send one, and see the counters move: on the target at once, in Prometheus within two scrapes. Then one
    without a signature, and one signed with an empty secret: they are to be refused as well, and at least
    one of all within `webhook_answer_seconds`: Stripe wants a quick answer, and gives up after some seconds.

    Others may be refused at the same time: where the counters moved by more than the one that was sent it
    is tried again, three times at most.
    """
    targets = await first_scrape(prometheus, service.job)
    up = [target for target in targets if target.health == "up"]
    if not up:
        raise Unseen(f"no target of {service.job} is up, so nothing that is sent would be seen in Prometheus")
    interval = max(target.scrape_interval_seconds for target in up)
    if interval > _LONGEST_INTERVAL_SECONDS:
        raise Unseen(f"not sent: scraped only every {lasting(interval)}, which is not waited for")
    counters = _Counters(prometheus, service, received, failed)
    on_target = len(up) == 1 and bool(service.metrics_url)
    read = counters.exported if on_target else counters.stored
    took_seconds: list[float] = []
    for _ in range(_TRIES):
        scraped, before = await counters.stored(), await read()
        page = counters.page
        answer = await effects.refused_webhook()
        took_seconds.append(answer.seconds)
        if not 400 <= answer.status < 500:
            yield _not_refused(answer, "an invalid signature")
            return
        after = await _moved(read, before, _COUNTED_AT_ONCE_SECONDS if on_target else 2 * interval + 1)
        if all(after[name] - before[name] <= 1 for name in before):
            break
    else:
        raise Unseen(
            f"others were refused at the same time, {_TRIES} times over: the one sent cannot be told apart"
        )
    async for said in _others_refused(effects, took_seconds):
        yield said
    for said in _slow(took_seconds, webhook_answer_seconds):
        yield said
    for said in _counted(counters, before, after, answer, page if on_target else None):
        yield said
    if on_target and after != before:
        yield await _scraped(counters, scraped, before, after, interval)


async def _others_refused(effects: Effects, took_seconds: list[float]) -> AsyncIterator[Finding | Seen]:
    """Send the other forgeries, and note how long each answer takes."""
    for forgery in _OTHER_FORGERIES:
        forged = await effects.refused_webhook(forgery=forgery)
        took_seconds.append(forged.seconds)
        if 400 <= forged.status < 500:
            yield Seen(f"with {forgery} refused too")
        else:
            yield _not_refused(forged, forgery)


@dataclass
class _Counters:
    """The two counters of webhooks that were refused.

    Stripe's event types all have a dot in them ("invoice.paid"). What a refused webhook claims to be is
    not believed, or it is the "test" that was sent: leaving out types with a dot keeps those apart that
    failed at the same time for another reason.
    """

    prometheus: Prometheus
    service: Service
    received: str
    failed: str
    page: dict[str, Any] = field(default_factory=dict)
    """What the target exported when it was last asked."""

    async def exported(self) -> dict[str, float]:
        """Both totals on the target; 0 for a counter that has no series yet."""
        self.page = await self.service.metrics()
        if not self.page:
            raise Unseen(f"{self.service.metrics_url} exports nothing, so nothing that is sent would be seen")
        samples = [sample for family in self.page.values() for sample in family.samples]
        received = [labels for name, labels, _ in samples if name == self.received]
        if received and not any("status" in labels for labels in received):
            have = ", ".join(sorted(set().union(*received)))
            raise Unseen(f"{self.received} has no label `status`, by which refusals are told; it has {have}")
        totals = dict.fromkeys((self.received, self.failed), 0.0)
        for name, labels, value in samples:
            refused = "." not in labels.get("event_type", "") and labels.get("status", "failed") == "failed"
            if name in totals and refused:
                totals[name] += value
        return totals

    def exports(self, name: str) -> bool:
        """Whether the target had samples of it when it was last asked."""
        return any(sampled == name for family in self.page.values() for sampled, _, _ in family.samples)

    def fallen_since(self, page: dict[str, Any]) -> str:
        """A counter that is lower now than on this earlier page, or gone; none where all only grew."""

        def counted(families: dict[str, Any]) -> dict[tuple[Any, ...], float]:
            samples = (each for one in families.values() if one.kind == "counter" for each in one.samples)
            return {(name, *sorted(labels.items())): value for name, labels, value in samples}

        now = counted(self.page)
        return next((key[0] for key, value in counted(page).items() if now.get(key, 0.0) < value), "")

    async def stored(self) -> dict[str, float]:
        """The same in Prometheus."""
        chosen = f'job="{self.service.job}",event_type!~".*[.].*"'
        queries = {
            self.received: f'sum({self.received}{{{chosen},status="failed"}})',
            self.failed: f"sum({self.failed}{{{chosen}}})",
        }
        answers = {name: await self.prometheus.query(query) for name, query in queries.items()}
        return {name: samples[0].value if samples else 0.0 for name, samples in answers.items()}


def _counted(
    counters: _Counters, before: _Totals, after: _Totals, answer: Answer, page: dict[str, Any] | None
) -> Iterator[Finding | Seen]:
    """Whether both counters moved by the webhook that was refused with `answer`; `page` is what the target
    exported before it, None where Prometheus alone is looked at."""
    if after == before and answer.status != _REFUSED:
        yield _turned_away(answer)
        return
    if after == before and counters.page == page and counters.exports(counters.received):
        yield Finding(
            summary=f"{counters.service.metrics_url} gave the same answer as before the webhook, which was "
            f"refused with {answer.status}: it comes from a cache, or nothing at all is counted",
            remedy="ask it twice, past every proxy: if it moves there, look for what keeps the answer",
        )
        return
    stood = any(after[name] == before[name] for name in before)
    if stood and (fallen := counters.fallen_since(page or {})):
        raise Unseen(f"{fallen} went down meanwhile: the service has just restarted")
    for name in before:
        if after[name] == before[name]:
            yield Finding(
                subject=name,
                summary=f"did not move, though the webhook was refused with {answer.status}",
                detail="" if page is None or counters.exports(name) else "the target does not export it",
                remedy="does the controller emit the telemetry event also where it refuses?",
            )
        elif after[name] < before[name]:
            raise Unseen(f"{name} went down meanwhile: the service has just restarted")
    if all(after[name] > before[name] for name in before):
        yield Seen(f"refused with {answer.status}; received and failed each moved by that one")


async def _moved(read: Callable[[], Awaitable[_Totals]], before: _Totals, within: float) -> _Totals:
    """The totals as soon as both have moved, else when it is too late."""
    latest = dict(before)

    async def both() -> bool:
        latest.update(await read())
        return all(latest[name] != before[name] for name in before)

    await until(both, within_seconds=within, what="the counters to move")
    return latest


async def _scraped(
    counters: _Counters,
    scraped: _Totals,
    before: _Totals,
    after: _Totals,
    interval: float,
) -> Finding | Seen:
    """Whether Prometheus comes to have what the target has: not more before, and that after two scrapes."""
    if any(scraped[name] > before[name] for name in before):
        raise Unseen("Prometheus has more than the target: it scrapes another one, or this one has restarted")

    async def reached() -> bool:
        latest = await counters.stored()
        return all(latest[name] >= after[name] for name in after)

    if await until(reached, within_seconds=2 * interval + 1, what="two scrapes"):
        return Seen("Prometheus has it within two scrapes")
    later = await counters.exported()
    if any(later[name] < after[name] for name in after):
        raise Unseen("the counters went down meanwhile: the service has just restarted")
    clock = stamped_wrongly(counters.page, await counters.prometheus.now())
    return Finding(
        summary="the counters moved on the target, and not in Prometheus within two scrapes",
        detail=f"the target {clock}" if clock else "",
    )


def _not_refused(answer: Answer, forgery: str) -> Finding:
    if answer.status < 300:
        return Finding(
            summary=f"a webhook with {forgery} was ACCEPTED (status {answer.status})",
            detail="anybody can tell the billing service that an invoice was paid",
            remedy=_ACCEPTED_BECAUSE[forgery],
        )
    if answer.status < 400:
        return Finding(
            summary=f"a webhook with {forgery} was sent on with {answer.status} to "
            f"{answer.headers.get('location', 'nowhere')}, not refused; Stripe does not follow",
            remedy="name the final address at Stripe and in opsconsole.toml",
        )
    return Finding(
        summary=f"a webhook with {forgery} was answered with {answer.status}, not refused",
        detail=_words(answer),
        remedy="it fails before it checks the signature, so Stripe's own may fail too: its log tells why",
    )


def _slow(took_seconds: list[float], most_seconds: float) -> Iterator[Finding]:
    """Whether every answer took too long: one alone may be a cold start, or a machine that is busy."""
    if (best := min(took_seconds)) > most_seconds:
        yield Finding(
            summary=f"the service took {lasting(best)} at best to answer a webhook, with nothing to do but "
            f"to refuse it; more than {lasting(most_seconds)} is too long",
            detail="Stripe gives up on an answer that does not come soon, sends the webhook again for days, "
            "and disables the endpoint in the end",
            remedy="look at what it does before it answers: have it answer first, and do the work afterwards",
        )


def _turned_away(answer: Answer) -> Finding:
    """Neither counter moved, and the answer is not the one of the service's own refusal."""
    if answer.status in _NOTHING_THERE:
        return Finding(
            summary=f"nothing is at {answer.url} for webhooks: it was answered with {answer.status}, and no "
            "counter moved",
            detail=_words(answer),
            remedy="was it moved? then Stripe's webhooks are lost too; else correct service.webhook_path",
        )
    return Finding(
        summary=f"the webhook was answered with {answer.status} and counted nowhere: it was turned away, "
        "it seems, before it reached the service",
        detail=_words(answer),
        remedy="look at what stands in front of it: ingress, firewall, login; does it let Stripe through?",
    )


def _words(answer: Answer) -> str:
    return f"it said: {' '.join(answer.text.split())[:_EXCERPT]}" if answer.text.strip() else ""
