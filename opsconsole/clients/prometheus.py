"""Prometheus: queries, targets, rules, and what the server says of itself (HTTP API v1).

Times are unix seconds, durations seconds. Every method raises `opsconsole.errors.Unseen` where the
server cannot be seen or answers something that is not the answer.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from opsconsole.checkkit import performing
from opsconsole.clients import prometheus_answers as answers
from opsconsole.clients import wire
from opsconsole.clients.http import Answer, Http
from opsconsole.clients.prometheus_answers import (
    Loading,
    Rule,
    Runtime,
    Sample,
    Sending,
    Series,
    Storage,
    Target,
)
from opsconsole.clients.relabelling import Outgoing
from opsconsole.errors import Nonsense, TimedOut

_T = TypeVar("_T")
_FAILED = (400, 404, 422, 503)
_MOST_POINTS = 11_000  # of one series in one query_range; Prometheus refuses more
_SUFFIXES = re.compile(r"_(?:total|bucket|sum|count|created|info)$")
_LONG_QUERY = 2_000  # characters; servers and proxies refuse URLs somewhat longer
_DAY = 86_400.0
_OF_THE_EXPRESSION = ("PromQL warning:", "PromQL info:")  # what follows is not about the answer: it is whole
_CLOCKS_AGREE_SECONDS = 60.0
_SETTLED_AFTER_SECONDS = 20.0
_SETTLED_AFTER_RELOAD_SECONDS = 10.0

Seen = Callable[[str, str, str], None]
"""Told a server's name, version and URL when the version is learnt."""


__all__ = [
    "Loading",
    "Prometheus",
    "QueryError",
    "Rule",
    "Runtime",
    "Sample",
    "Sending",
    "Series",
    "Storage",
    "Target",
]


class QueryError(Nonsense):
    """Prometheus refused a query: its own words, such as a parse error or many-to-many matching."""


class Prometheus:
    """One Prometheus server. `warnings` holds the warnings and infos that came with answers, each once."""

    def __init__(self, http: Http, seen: Seen) -> None:
        self._http = http
        self._seen = seen
        self.url = http.base
        self.warnings: list[str] = []

    async def query(self, promql: str, *, at: float | None = None) -> list[Sample]:
        """An instant query: a vector, or a scalar as one sample without labels.

        Raises QueryError where Prometheus refuses it; Nonsense for a result of another type.
        """
        form = {"query": promql} if at is None else {"query": promql, "time": at}
        if len(promql) < _LONG_QUERY:  # a GET that several checks send at once is sent once
            answer = await self._http.get("/api/v1/query", form, accept=(200, *_FAILED))
        else:
            answer = await self._http.post("/api/v1/query", form=form, accept=(200, *_FAILED), asks=True)
        result = self._data(answer, answers.Result)
        if result.resultType == "scalar":
            at, value = answers.decode(result.result, tuple[float, str], answer)
            return [Sample({}, wire.number(value, answer.where), at)]
        if result.resultType != "vector":
            raise Nonsense(f"answered a {result.resultType} where a vector was expected", where=answer.where)
        return [
            answers.sample(one, answer)
            for one in answers.decode(result.result, list[answers.VectorSample], answer)
        ]

    async def query_range(
        self, promql: str, *, start: float, end: float, step_seconds: float
    ) -> list[Series]:
        """A query evaluated at `start`, `start + step_seconds`, ... up to `end`.

        Ranges with more points than Prometheus gives at once are asked in parts, two at a time.
        Raises as `query`.
        """
        span = (_MOST_POINTS - 1) * step_seconds
        starts = [start]
        while starts[-1] + span + step_seconds <= end:
            starts.append(starts[-1] + span + step_seconds)
        places = asyncio.Semaphore(2)

        async def part(first: float) -> list[Series]:
            async with places:
                last = min(first + span, end)
                return list(
                    await self.query_stretch(promql, start=first, end=last, step_seconds=step_seconds)
                )

        return answers.joined(await asyncio.gather(*map(part, starts)))

    async def query_stretch(
        self, promql: str, *, start: float, end: float, step_seconds: float
    ) -> Iterator[Series]:
        """As `query_range`, in one request, whatever its size; each series is read out of the answer when it
        is asked for."""
        form = {"query": promql, "start": start, "end": end, "step": step_seconds}
        answer = await self._http.post("/api/v1/query_range", form=form, accept=(200, *_FAILED), asks=True)
        result = self._data(answer, answers.Result)
        if result.resultType != "matrix":
            raise Nonsense(f"answered a {result.resultType} where a matrix was expected", where=answer.where)
        found = answers.decode(result.result, list[answers.MatrixSeries], answer)
        return (answers.series(one, answer) for one in found)

    async def series(
        self, *matchers: str, start: float | None = None, end: float | None = None
    ) -> list[dict[str, str]]:
        """The label sets of the series that any of the selectors matches."""
        given = {"match[]": matchers, **_times(start, end)}
        return await self._get("/api/v1/series", list[dict[str, str]], given)

    async def label_names(
        self, *matchers: str, start: float | None = None, end: float | None = None
    ) -> list[str]:
        """The names of the labels of these series, or of all."""
        return await self._get("/api/v1/labels", list[str], {"match[]": matchers, **_times(start, end)})

    async def metric_names(self, *, start: float | None = None, end: float | None = None) -> list[str]:
        """The names of all metrics that have series."""
        return await self._get("/api/v1/label/__name__/values", list[str], _times(start, end))

    async def targets(self, job: str | None = None) -> list[Target]:
        """The active targets, of one job or of all."""
        found = await self._get("/api/v1/targets", answers.Targets, {"state": "active"})
        where = f"{self._http.server} {self.url}/api/v1/targets"
        return [
            answers.target(target, where)
            for target in found.activeTargets
            if job is None or target.labels.get("job") == job
        ]

    async def rules(self) -> list[Rule]:
        """All rules of all groups, alerting and recording, in their order."""
        found = await self._get("/api/v1/rules", answers.Groups)
        where = f"{self._http.server} {self.url}/api/v1/rules"
        return [answers.rule(rule, group, where) for group in found.groups for rule in group.rules]

    async def alertmanagers(self) -> list[str]:
        """The URLs that alerts are sent to, such as `http://alertmanager:9093/api/v2/alerts`."""
        return [
            one.url
            for one in (await self._get("/api/v1/alertmanagers", answers.Alertmanagers)).activeAlertmanagers
        ]

    async def sending(self) -> Sending:
        """What its own metrics count of the alerts that it sends. Raises Unseen where they cannot be seen."""
        from opsconsole.clients.exposition import samples

        answer = await self._http.get("/metrics")
        lines = [line for line in answer.text.splitlines() if line.startswith("prometheus_notifications_")]
        if not lines:
            raise Nonsense("its metrics count no notifications", where=answer.where)
        counted = list(samples("\n".join(lines), answer.where))

        def by_url(name: str) -> dict[str, float]:
            return {
                labels.get("alertmanager", ""): value for sampled, labels, value in counted if sampled == name
            }

        return Sending(
            sent=by_url("prometheus_notifications_sent_total"),
            errors=by_url("prometheus_notifications_errors_total"),
            dropped=sum(by_url("prometheus_notifications_dropped_total").values()),
        )

    async def failed_writes(self) -> float | None:
        """How often it could not write to its write-ahead log since it started, None where it does not tell.
        Raises Unseen where its own metrics cannot be seen."""
        return (await self._own("prometheus_tsdb_wal_writes_failed_total"))[0]

    async def storage(self) -> Storage:
        """What its own metrics tell of its storage. Raises Unseen where they cannot be seen."""
        lowest, cuts = await self._own(
            "prometheus_tsdb_lowest_timestamp_seconds", "prometheus_tsdb_size_retentions_total"
        )
        return Storage(earliest=lowest, cuts_by_size=cuts)

    async def _own(self, *names: str) -> list[float | None]:
        """The values of metrics of its own that have no labels, None for those that it does not export."""
        from opsconsole.clients.exposition import samples

        answer = await self._http.get("/metrics")
        lines = [line for line in answer.text.splitlines() if line.partition(" ")[0] in names]
        told = {name: value for name, _, value in samples("\n".join(lines), answer.where)}
        return [told.get(name) for name in names]

    async def flags(self) -> dict[str, str]:
        """The command-line flags in force, by name without dashes."""
        return await self._get("/api/v1/status/flags", dict[str, str])

    async def runtime(self) -> Runtime:
        told = await self._get("/api/v1/status/runtimeinfo", answers.RawRuntime)
        return Runtime(
            reload_ok=told.reloadConfigSuccess,
            config_time=wire.unix(told.lastConfigTime),
            retention=told.storageRetention,
            retention_seconds=answers.retention_seconds(told.storageRetention),
            start_time=wire.unix(told.startTime),
            corruptions=told.corruptionCount,
        )

    async def settling_seconds(self) -> float:
        """How long to wait, at most, for what this server has not done yet because it has just started, or
        has just read its configuration again.

        All versions discover their targets and Alertmanagers about 5 s after either, and scrape then; 0 for a
        server that runs for longer than that takes.
        """
        runtime, now = await asyncio.gather(self.runtime(), self.now())
        started = runtime.start_time + _SETTLED_AFTER_SECONDS
        reloaded = runtime.config_time + _SETTLED_AFTER_RELOAD_SECONDS
        return max(0.0, max(started, reloaded) - now)

    async def version(self) -> str:
        """The version as the server words it: `3.5.0`, or with a packager's suffix `3.5.3+ds1`."""
        told = await self._get("/api/v1/status/buildinfo", answers.Build)
        self._seen(self._http.server, told.version, self.url)
        return told.version

    async def config(self) -> str:
        """The running configuration, YAML, secrets masked."""
        return (await self._get("/api/v1/status/config", answers.Config)).yaml

    async def outgoing(self) -> Outgoing:
        """What this server does to the labels of every alert that it sends."""
        return (await self._running()).outgoing(self.url)

    async def loading(self) -> Loading:
        """From where this server loads its rules, and how often it evaluates them."""
        return (await self._running()).loading(self.url)

    async def _running(self) -> answers.Running:
        import yaml

        try:
            return msgspec.convert(yaml.load(await self.config(), Loader=yaml.CSafeLoader), answers.Running)
        except (yaml.YAMLError, msgspec.ValidationError) as error:
            message = f"answered a configuration that cannot be read: {error}"
            raise Nonsense(message, where=self.url) from error

    async def metadata(self, metric: str) -> str | None:
        """The metric's type (counter, gauge, histogram, ...) as its targets declare it, None where none does.

        OpenMetrics declares `x_total` or `x_bucket` as `x`: both names are tried.
        """
        for name in dict.fromkeys((metric, _SUFFIXES.sub("", metric))):
            found = await self._get("/api/v1/metadata", dict[str, list[answers.Metadata]], {"metric": name})
            if told := found.get(name):
                return told[0].type
        return None

    async def types(self) -> dict[str, str]:
        """The type of every metric, or family of metrics, that a target declares now, by name; "unknown"
        where targets do not agree."""
        found = await self._get("/api/v1/metadata", dict[str, list[answers.Metadata]])
        types = {name: {one.type for one in told} for name, told in found.items()}
        return {name: each.pop() if len(each) == 1 else "unknown" for name, each in types.items()}

    async def now(self) -> float:
        """The server's own clock, by which the age of all that it tells is judged.

        Raises Nonsense where that is more than a minute from ours: one of the clocks is wrong, or the
        answers are old ones out of a cache, and neither can be told from here.
        """
        offset = await self.clock_offset_seconds()
        if abs(offset) > _CLOCKS_AGREE_SECONDS:
            raise Nonsense(
                f"its clock is {abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} ours, "
                "so what it tells cannot be called fresh",
                where=f"{self._http.server} {self.url}",
                hint="set the clocks right, and ask it without a cache between",
            )
        return time.time() + offset

    async def clock_offset_seconds(self) -> float:
        """The server's clock minus ours, to within half the round trip."""
        before = time.time()
        samples = await self.query("time()")
        if not samples:
            raise Nonsense("does not tell the time", where=f"{self._http.server} {self.url}")
        return samples[0].value - (before + time.time()) / 2

    async def earliest(self, selector: str = "up", *, within_seconds: float = 16 * _DAY) -> float | None:
        """The time of the oldest sample of `selector` that the server still has, None without any.

        `selector` is an instant vector selector. The last `within_seconds` are looked at hour by hour, so
        there may be one that is older by less than an hour; no API of Prometheus tells it directly
        (headStats is the head alone, the blocks' times are rounded). Where there is none on the hour, the
        newest is what is there.
        """
        hourly = f"min(min_over_time(timestamp({selector})[{within_seconds:.0f}s:1h]))"
        oldest = await self.query(hourly) or await self.query(f"min(timestamp({selector}))")
        return oldest[0].value if oldest else None

    async def latest(self, selector: str, *, within_seconds: float = 15 * _DAY) -> float | None:
        """The time of the newest sample of `selector`, None without any.

        The last hour is looked at every 10 s, what is older every 5 minutes, for which a sample counts as
        present: one may be missed that a stale marker followed at once.
        """
        for window, step in ((3600.0, "10s"), (within_seconds, "5m")):
            newest = await self.query(f"max(max_over_time(timestamp({selector})[{window:.0f}s:{step}]))")
            if newest:
                return newest[0].value
        return None

    async def _get(self, path: str, shape: type[_T], params: Mapping[str, Any] | None = None) -> _T:
        given = {name: value for name, value in (params or {}).items() if value != ()}
        return self._data(await self._http.get(path, given, accept=(200, *_FAILED)), shape)

    def _data(self, answer: Answer, shape: type[_T]) -> _T:
        """What is under `data`, warnings noted. Raises QueryError for an error in Prometheus' own form."""
        envelope = answer.json(answers.Envelope)
        if envelope.status != "success" or answer.status != 200:
            message = f"{envelope.errorType or answer.status}: {envelope.error or 'no reason given'}"
            if envelope.errorType in ("timeout", "canceled"):
                raise TimedOut(message, where=answer.where)
            raise QueryError(message, where=answer.where)
        for warning in (*envelope.warnings, *envelope.infos):
            if warning not in self.warnings:
                self.warnings.append(warning)
        doubts = [warning for warning in envelope.warnings if not warning.startswith(_OF_THE_EXPRESSION)]
        if doubts and (performance := performing.get()) is not None:
            performance.doubts(f"{answer.where}: warns that {doubts[0]}")
        return answers.decode(envelope.data, shape, answer)


def _times(start: float | None, end: float | None) -> dict[str, float]:
    return {name: value for name, value in (("start", start), ("end", end)) if value is not None}
