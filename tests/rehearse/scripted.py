"""A Prometheus client that answers by a script: what each expression returns, at any moment."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

from opsconsole.clients.prometheus import Prometheus, QueryError, Rule, Sample, Series

Labels = tuple[tuple[str, str], ...]
Script = Callable[[float], Mapping[Labels, float]]
"""The result at a moment (unix seconds). It may raise, as the server would refuse."""


def nothing(at: float) -> Mapping[Labels, float]:
    return {}


def during(
    *spans: tuple[float, float], value: float = 1.0, labels: Mapping[str, str] | None = None, **more: str
) -> Script:
    """One series, from the first moment to before the second of each span."""
    key = tuple(sorted({**(labels or {}), **more}.items()))
    return lambda at: {key: value} if any(first <= at < last for first, last in spans) else {}


def together(*scripts: Script) -> Script:
    return lambda at: {key: value for script in scripts for key, value in script(at).items()}


class Scripted:
    """`scripts` by expression; `history` says when there is data, `alerts` what ALERTS are, `up` when it
    scrapes. An answer with more than `most_points` points is refused as too many samples are."""

    def __init__(
        self,
        scripts: Mapping[str, Script],
        *,
        history: Script | None = None,
        up: Script | None = None,
        alerts: Script = nothing,
        groups: Script = nothing,
        rules: Sequence[Rule] = (),
        config_time: float = 0.0,
        most_points: float = float("inf"),
    ) -> None:
        there: Script = lambda at: {(): 1.0}  # noqa: E731
        self._scripts = scripts
        down: Script = (lambda at: {} if up(at) else {(): 1.0}) if up else nothing
        self._beginnings: dict[str, Script] = {
            "count({__name__": history or there,
            "absent(up)": down,
            "ALERTS": alerts,
            "max by (rule_group)": groups,
        }
        self._rules = rules
        self._config_time = config_time
        self._most_points = most_points
        self.asked: list[str] = []

    @property
    def client(self) -> Prometheus:
        return cast(Prometheus, self)

    async def query_stretch(
        self, promql: str, *, start: float, end: float, step_seconds: float
    ) -> Iterator[Series]:
        self.asked.append(promql)
        found: dict[Labels, list[tuple[float, float]]] = {}
        points = 0
        for tick in range(round(1000 * start), round(1000 * end) + 1, round(1000 * step_seconds)):
            result = self._script(promql)(tick / 1000)
            points += len(result)
            if points > self._most_points:
                raise QueryError("execution: query processing would load too many samples into memory")
            for labels, value in result.items():
                found.setdefault(labels, []).append((tick / 1000, value))
        return iter([Series(dict(labels), some) for labels, some in found.items()])

    async def query(self, promql: str, *, at: float) -> list[Sample]:
        result = self._script(promql)(at)
        return [Sample(dict(labels), value, at) for labels, value in result.items()]

    async def rules(self) -> Sequence[Rule]:
        return self._rules

    async def runtime(self) -> Any:
        return SimpleNamespace(config_time=self._config_time)

    def _script(self, promql: str) -> Script:
        for beginning, script in self._beginnings.items():
            if promql.startswith(beginning):
                return script
        return self._scripts.get(promql, nothing)
