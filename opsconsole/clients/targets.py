"""Why a target is not up: Prometheus' own words, and what its endpoint answers when it is asked from here."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from opsconsole.checkkit import lasting
from opsconsole.clients.exposition import MetricFamily
from opsconsole.clients.prometheus import Target
from opsconsole.clients.service import Service
from opsconsole.errors import Unseen
from opsconsole.model import Finding

_TOO_SLOW = "context deadline exceeded"
_LIMITED = "limit exceeded"
_CLOCKS_AGREE_SECONDS = 60.0


@dataclass(frozen=True)
class Asked:
    """What the metrics endpoint answered from here: `samples`, within `seconds`; or `error` says why not.

    There is neither where the endpoint is not named.
    """

    samples: int | None = None
    seconds: float = 0.0
    error: str = ""


async def ask_endpoint(service: Service, *, again: bool = False) -> Asked:
    """Ask the metrics endpoint, without Prometheus between; with `again` twice, and the second time counts:
    the first answer may have been under way already for somebody else."""
    if not service.metrics_url:
        return Asked()
    try:
        if again:
            await service.metrics()
        began = time.monotonic()
        families = await service.metrics()
    except Unseen as error:
        return Asked(error=str(error))
    samples = sum(len(family.samples) for family in families.values())
    return Asked(samples, time.monotonic() - began)


def not_up(target: Target, service: Service, asked: Asked | None = None) -> Finding:
    """What is known of a target that is not up; `asked` where it is the one that was asked."""
    summary = f"is {target.health}: {target.last_error or 'not scraped yet'}"
    if asked is None:
        return Finding(subject=target.instance, summary=summary)
    if asked.samples is None:
        detail = f"asked from here: {asked.error}" if asked.error else ""
        return Finding(subject=target.instance, summary=summary, detail=detail)
    answers = f"answers in {lasting(asked.seconds)} with {asked.samples} samples"
    return Finding(
        subject=target.instance,
        summary=summary,
        detail=f"Prometheus scrapes {target.url}; asked from here, {service.metrics_url} {answers}",
        remedy=_remedy(target, service, asked),
    )


def _remedy(target: Target, service: Service, asked: Asked) -> str:
    if _LIMITED in target.last_error:
        return (
            "look for the metric with the most series; then drop a label of it, or raise the limit of the job"
        )
    if _TOO_SLOW in target.last_error and asked.seconds > target.scrape_timeout_seconds:
        return (
            f"that is longer than the scrape_timeout of {lasting(target.scrape_timeout_seconds)}: "
            "find out what makes it slow, or allow it more"
        )
    scraped, answering = _port(target.url), _port(service.metrics_url or "")
    if scraped != answering:
        return (
            f"the service answers on port {answering}, and Prometheus scrapes port {scraped}: is that right?"
        )
    return "what is between Prometheus and the target? a network policy, a proxy, an address that has changed"


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def stamped_wrongly(families: Mapping[str, MetricFamily], now: float) -> str:
    """How a target stamps its samples, where its clock is more than a minute off; else nothing."""
    stamps = [stamp for family in families.values() for stamp in family.stamps]
    if not stamps or abs(behind := now - max(stamps)) <= _CLOCKS_AGREE_SECONDS:
        return ""
    off = f"{lasting(abs(behind))} {'behind' if behind > 0 else 'ahead'}"
    return f"stamps its samples with a clock that is {off}"
