"""Grafana answers, and its database is well."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import Finding, Grafana, Seen


async def check(grafana: Grafana) -> AsyncIterator[Finding | Seen]:
    """Its own health page, which needs no token."""
    health = await grafana.health()
    if health.database != "ok":
        yield Finding(summary=f"Grafana's database is {health.database}")
    yield Seen(f"Grafana {health.version} answers")
