"""Every target of the service's job is up."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import Finding, Prometheus, Seen, Service


async def check(prometheus: Prometheus, service: Service) -> AsyncIterator[Finding | Seen]:
    """As Prometheus itself sees them, with the error of the last scrape."""
    targets = await prometheus.targets(service.job)
    if not targets:
        yield Finding(summary=f"no target belongs to the job {service.job}")
    for target in targets:
        if target.health == "up":
            yield Seen("target up", subject=target.instance)
        else:
            yield Finding(
                subject=target.instance,
                summary=f"target {target.health}: {target.last_error or 'not scraped yet'}",
            )
