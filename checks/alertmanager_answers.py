"""Alertmanager answers."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import Alertmanager, Finding, Seen, Unseen


async def check(alertmanager: Alertmanager) -> AsyncIterator[Finding | Seen]:
    """Version, the state of its cluster, and the success of the last reload."""
    status = await alertmanager.status()
    if status.cluster_status == "settling":
        yield Finding(summary="its cluster is still settling: notifications are held back until then")
    yield Seen(f"Alertmanager {status.version} answers, cluster {status.cluster_status}")
    try:
        last = await alertmanager.reloaded()
    except Unseen as unseen:
        yield Seen(f"whether its last reload was accepted was not looked at: {unseen.message}")
        return
    if last.refusal:
        yield last.refusal
