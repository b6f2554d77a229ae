"""The service's metrics endpoint answers with metrics."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import Finding, Seen, Service, Skip


async def check(service: Service) -> AsyncIterator[Finding | Seen]:
    """Asked from here, without Prometheus between."""
    if not service.metrics_url:
        raise Skip("service.metrics is not set, so the endpoint cannot be asked from here")
    families = await service.metrics()
    if families:
        yield Seen(f"{len(families)} families at {service.metrics_url}")
    else:
        yield Finding(summary=f"{service.metrics_url} exports nothing")
