"""Endpoints that are scraped once, twice, and twice with a reason."""

import re
from collections.abc import Sequence
from typing import cast

import msgspec
import pytest

from opsconsole.clients.prometheus import Prometheus, Rule, Series, Target
from opsconsole.clients.twins import scraped_twice
from opsconsole.model import Finding
from tests.clients.test_drift import running
from tests.clients.test_targets import DOWN

NOW = 1_000_000.0
URL = "http://10.0.0.5:9568/metrics"
SUMMED = running(expr="sum(rate(paid_total[5m])) > 1")


def target(job: str, url: str = URL, health: str = "up", **labels: str) -> Target:
    every = {"job": job, "instance": "10.0.0.5:9568", **labels}
    return msgspec.structs.replace(
        DOWN, job=job, instance=every["instance"], labels=every, url=url, health=health
    )


ONE, TWIN = target("app"), target("pods/app")


class Server:
    """A Prometheus with these targets and rules; of each job the counter was at these totals, last of all."""

    def __init__(
        self, targets: Sequence[Target], rules: Sequence[Rule], totals: dict[str, list[float]]
    ) -> None:
        self._targets, self._rules, self._totals = list(targets), list(rules), totals

    async def targets(self) -> list[Target]:
        return self._targets

    async def rules(self) -> list[Rule]:
        return self._rules

    async def now(self) -> float:
        return NOW

    async def query_range(self, promql: str, **times: float) -> list[Series]:
        job = re.search(r'job="([^"]*)"', promql)
        totals = self._totals.get(job[1] if job else "", [])
        points = [(NOW + at, total) for at, total in enumerate(totals)]
        return [Series({"__name__": "paid_total"}, points)] if points else []


SAME = {"app": [40.0, 41.0, 43.0], "pods/app": [41.0, 42.0, 44.0]}


@pytest.mark.parametrize(
    ("targets", "rule", "totals", "said"),
    [
        pytest.param([ONE, TWIN], SUMMED, SAME,
                     [f'10.0.0.5:9568: {URL} is scraped twice, as job="app" and as job="pods/app": sums'],
                     id="by two jobs"),
        pytest.param([TWIN, ONE], running(expr='paid_total{job=~".*app"}'), SAME,
                     ["10.0.0.5:9568: "], id="a rule that names both"),
        pytest.param([ONE, target("app", pod="a")], SUMMED, SAME,
                     [f'10.0.0.5:9568: {URL} is scraped twice, as no pod and as pod="a"'], id="by one job"),
        pytest.param([ONE, TWIN], running(expr='paid_total{job="app"}'), SAME,
                     [f'seen: {URL} is scraped twice, as job="app" and as job="pods/app"; no rule'],
                     id="a rule that selects one"),
        pytest.param([ONE, TWIN], running(expr="other_total"), SAME, ["seen: "], id="no rule on it"),
        pytest.param([ONE, TWIN], SUMMED, {"app": [40.0, 41.0], "pods/app": [7.0, 9.0]}, [],
                     id="another endpoint behind a proxy"),
        pytest.param([ONE, TWIN], SUMMED, {"app": [40.0, 41.0]}, [], id="the other has none of the counters"),
        pytest.param([ONE, TWIN], SUMMED, {"app": [0.0], "pods/app": [0.0]}, [], id="nothing counted yet"),
        pytest.param([ONE, target("pods/app", f"{URL}?module=a")], SUMMED, SAME, [], id="other query"),
        pytest.param([ONE, target("pods/app", health="down")], SUMMED, SAME, [], id="the other is down"),
        pytest.param([target("a"), target("b")], SUMMED, SAME, [], id="of other jobs"),
        pytest.param([ONE], SUMMED, SAME, [], id="once"),
    ],
)  # fmt: skip
async def test_what_is_told(
    targets: list[Target], rule: Rule, totals: dict[str, list[float]], said: list[str]
) -> None:
    found = await told(targets, rule, totals)
    assert len(found) == len(said)
    assert all(one.startswith(words) for one, words in zip(found, said, strict=True))


async def test_many_of_the_same_two_jobs_are_one_finding() -> None:
    more = [target(job, "http://10.0.0.6:9568/metrics") for job in ("app", "pods/app")]
    (found,) = await told([ONE, TWIN, *more], SUMMED, SAME)
    assert 'job="pods/app", and so are 1 more of these jobs: sums' in found


async def told(targets: list[Target], rule: Rule, totals: dict[str, list[float]]) -> list[str]:
    server = cast(Prometheus, Server(targets, [rule], totals))
    return [
        f"{each.subject}: {each.summary}" if isinstance(each, Finding) else f"seen: {each.text}"
        for each in await scraped_twice(server, "app", ["paid_total"])
    ]
