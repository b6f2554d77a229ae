"""The application itself says that its metrics plugin is registered; else its metrics say so."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import Cluster, Finding, Names, Prometheus, Seen, Service, Unseen, first_scrape

DIAGNOSIS = ("target_is_up", "metrics_endpoint_answers", "service_answers")


async def check(
    prometheus: Prometheus,
    service: Service,
    cluster: Cluster | None = None,
    *,
    plugin: str,
    plugins: str,
    families: Names,
) -> AsyncIterator[Finding | Seen]:
    """`plugin` is the module, `plugins` the expression that lists those registered, `families` what only
    this plugin exports."""
    if cluster is not None:
        answer = (await cluster.eval(f"{plugins} |> Enum.find(&(&1 == {plugin})) |> IO.inspect()")).strip()
        if plugin in answer.splitlines():
            yield Seen(f"the application answers {answer}")
        else:
            yield Finding(
                summary=f"the application does not list {plugin}",
                detail=f"it answered: {answer or 'nothing'}",
                remedy=f"add {plugin} to plugins/0 of the PromEx module and deploy",
            )
        return
    exported = (
        await service.totals(families)
        if service.metrics_url
        else await _scraped(prometheus, service, families)
    )
    where = service.metrics_url or f"Prometheus, job {service.job}"
    if service.metrics_url and not exported and not await service.metrics():
        yield Finding(summary=f"{where} exports nothing", detail=f"so nothing is told of {plugin}")
        return
    missing = [family for family in families if family not in exported]
    registered = f"is {plugin} in plugins/0 of the PromEx module of the release that runs?"
    if missing == families:
        yield Finding(
            summary=f"none of the {len(families)} families that only {plugin} exports is there",
            detail=f"{where} answers, without {', '.join(families)}",
            remedy=f"{registered} If it is: has that only just started? A family comes with its first event.",
        )
        return
    for family in missing:
        yield Finding(
            subject=family,
            summary=f"is not exported, and only {plugin} exports it",
            detail=f"looked at {where}",
            remedy=registered,
        )
    yield Seen(f"{len(exported)} of {len(families)} families that only {plugin} exports, at {where}")


async def _scraped(prometheus: Prometheus, service: Service, families: list[str]) -> dict[str, float]:
    if not any(target.health == "up" for target in await first_scrape(prometheus, service.job)):
        raise Unseen(f"no target of {service.job} is up, so its metrics cannot be seen in Prometheus")
    names = "|".join(families)
    samples = await prometheus.query(f'sum by (__name__) ({{__name__=~"{names}",job="{service.job}"}})')
    return {sample.labels["__name__"]: sample.value for sample in samples}
