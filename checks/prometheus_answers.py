"""Prometheus answers, and runs the configuration that it was given last."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import Finding, Prometheus, Seen


async def check(prometheus: Prometheus) -> AsyncIterator[Finding | Seen]:
    """Version and the success of the last reload."""
    runtime = await prometheus.runtime()
    if not runtime.reload_ok:
        yield Finding(
            summary="the last reload of the configuration was refused; the old one still runs",
            remedy="promtool check config prometheus.yml, then reload",
        )
    yield Seen(f"Prometheus {await prometheus.version()} answers")
