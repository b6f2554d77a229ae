"""The service answers its health check."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import Finding, Seen, Service


async def check(service: Service) -> AsyncIterator[Finding | Seen]:
    """Its own word, at service.health_path."""
    well, text = await service.health()
    yield Seen(f"the service says: {text}") if well else Finding(summary=f"the service says: {text}")
