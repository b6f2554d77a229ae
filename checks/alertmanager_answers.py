"""Alertmanager answers."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import Alertmanager, Finding, Seen


async def check(alertmanager: Alertmanager) -> AsyncIterator[Finding | Seen]:
    """Version and the state of its cluster."""
    status = await alertmanager.status()
    if status.cluster_status == "settling":
        yield Finding(summary="its cluster is still settling: notifications are held back until then")
    yield Seen(f"Alertmanager {status.version} answers, cluster {status.cluster_status}")
