"""The service under observation: its metrics endpoint as it is exposed, and its own word on its health."""

from collections.abc import Mapping
from typing import Any

from opsconsole import config
from opsconsole.clients.exposition import MetricFamily, families
from opsconsole.clients.http import Http
from opsconsole.errors import Nonsense
from opsconsole.redaction import excerpt

__all__ = ["MetricFamily", "Service"]

_EXCERPT = 300
_SAYS_ITSELF = (200, 500, 503)
_WELL = ("ok", "healthy", "up", "pass")


class Service:
    """The service. `job` is the Prometheus job that scrapes it; `metrics_url` is None where its metrics
    endpoint cannot be reached from here."""

    def __init__(self, http: Http, settings: config.Service) -> None:
        self._http = http
        self._health_path = settings.health_path
        self.job = settings.job
        self.metrics_url = settings.metrics
        self.url = http.base

    async def metrics(self) -> dict[str, MetricFamily]:
        """What the metrics endpoint exposes now, by family name; it may be nothing.

        Raises Unseen as the door does, Nonsense for what is no exposition, and Nonsense where there is no
        `metrics_url` to ask.
        """
        if self.metrics_url is None:
            raise Nonsense("its metrics endpoint is not named", where=self._http.server)
        answer = await self._http.get(self.metrics_url)
        return families(answer.text, answer.headers.get("content-type", ""), answer.where)

    async def totals(self, names: list[str]) -> dict[str, float]:
        """The sum over the series of each of these metrics, without those that the target does not export."""
        return self.totals_in(await self.metrics(), names)

    @staticmethod
    def totals_in(page: Mapping[str, MetricFamily], names: list[str]) -> dict[str, float]:
        """The same by what the endpoint exposed before."""
        exported = [sample for family in page.values() for sample in family.samples]
        found = {name: [value for sampled, _, value in exported if sampled == name] for name in names}
        return {name: sum(values) for name, values in found.items() if values}

    async def total(self, name: str, **labels: str) -> float:
        """The sum over the metric's series with these labels; 0 where there is none yet."""
        exported = [sample for family in (await self.metrics()).values() for sample in family.samples]
        return sum(
            value for sampled, have, value in exported if sampled == name and labels.items() <= have.items()
        )

    async def health(self) -> tuple[bool, str]:
        """Whether the service calls itself healthy, and its words: 500 and 503 say no, and so does a `status`
        in JSON that is no word for well."""
        answer = await self._http.get(self._health_path, accept=_SAYS_ITSELF)
        if "text/html" in answer.headers.get("content-type", "") or answer.text.lstrip().startswith("<"):
            raise Nonsense("answered HTML where its health was expected", where=answer.where)
        told = answer.json(dict[str, Any]) if answer.text.lstrip().startswith("{") else {}
        well = answer.status == 200 and str(told.get("status", "ok")).lower() in _WELL
        return well, excerpt(" ".join(answer.text.split()), _EXCERPT)
