"""Prometheus: queries, targets, rules, and what the server says of itself (HTTP API v1).

Times are unix seconds, durations seconds. Every method raises `opsconsole.errors.Unseen` where the
server cannot be seen or answers something that is not the answer.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import msgspec

from opsconsole.checkkit import performing
from opsconsole.clients import wire
from opsconsole.clients.http import Answer, Http
from opsconsole.errors import Nonsense, TimedOut

_T = TypeVar("_T")
_FAILED = (400, 404, 422, 503)
_MOST_POINTS = 11_000  # of one series in one query_range; Prometheus refuses more
_SUFFIXES = re.compile(r"_(?:total|bucket|sum|count|created|info)$")
_LONG_QUERY = 2_000  # characters; servers and proxies refuse URLs somewhat longer
_DAY = 86_400.0
_CLOCKS_AGREE_SECONDS = 60.0
_SETTLED_AFTER_SECONDS = 20.0

Seen = Callable[[str, str, str], None]
"""Told a server's name, version and URL when the version is learnt."""


class QueryError(Nonsense):
    """Prometheus refused a query: its own words, such as a parse error or many-to-many matching."""


class Sample(msgspec.Struct, frozen=True):
    """One sample of an instant vector; `value` may be NaN or infinite."""

    labels: dict[str, str]
    value: float
    at: float


class Series(msgspec.Struct, frozen=True):
    """One series over time; `points` are (unix seconds, value), oldest first."""

    labels: dict[str, str]
    points: list[tuple[float, float]]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One scrape target; `health` is up, down or unknown, `last_scrape` 0.0 where there was none yet."""

    job: str
    instance: str
    labels: dict[str, str]
    url: str
    health: str
    last_error: str
    last_scrape: float
    scrape_interval_seconds: float
    scrape_timeout_seconds: float
    scrape_duration_seconds: float


class ActiveAlert(msgspec.Struct, frozen=True):
    """An alert of a rule; `state` is pending or firing."""

    labels: dict[str, str]
    state: str
    active_at: float
    value: float


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A loaded rule as its last evaluation left it.

    `state` is inactive, pending, firing or unknown (empty for a recording rule), `health` ok, err or
    unknown; `last_evaluation` is 0.0 where there was none yet. Prometheus rewrites `expr` in its own form.
    """

    kind: Literal["alerting", "recording"]
    name: str
    expr: str
    for_seconds: float
    keep_firing_for_seconds: float
    labels: dict[str, str]
    annotations: dict[str, str]
    state: str
    health: str
    last_error: str
    last_evaluation: float
    evaluation_seconds: float
    group: str
    file: str
    interval_seconds: float
    alerts: list[ActiveAlert]


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """What the server says of its running self.

    `retention` is as Prometheus words it ("15d", "15d or 10GiB"); `retention_seconds` is its limit by
    time, 0.0 where there is none. `config_time` is when a configuration was last loaded with success.
    """

    reload_ok: bool
    config_time: float
    retention: str
    retention_seconds: float
    start_time: float
    corruptions: int


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
            answer = await self._http.post("/api/v1/query", form=form, accept=(200, *_FAILED))
        result = self._data(answer, _Result)
        if result.resultType == "scalar":
            at, value = _decode(result.result, tuple[float, str], answer)
            return [Sample({}, wire.number(value, answer.where), at)]
        if result.resultType != "vector":
            raise Nonsense(f"answered a {result.resultType} where a vector was expected", where=answer.where)
        return [_sample(one, answer) for one in _decode(result.result, list[_VectorSample], answer)]

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
                return await self._range(promql, first, min(first + span, end), step_seconds)

        return _joined(await asyncio.gather(*map(part, starts)))

    async def series(
        self, *matchers: str, start: float | None = None, end: float | None = None
    ) -> list[dict[str, str]]:
        """The label sets of the series that any of the selectors matches."""
        times = {name: value for name, value in (("start", start), ("end", end)) if value is not None}
        return await self._get("/api/v1/series", list[dict[str, str]], {"match[]": matchers, **times})

    async def label_names(self, *matchers: str) -> list[str]:
        """The names of the labels of these series, or of all."""
        return await self._get("/api/v1/labels", list[str], {"match[]": matchers})

    async def targets(self, job: str | None = None) -> list[Target]:
        """The active targets, of one job or of all."""
        found = await self._get("/api/v1/targets", _Targets, {"state": "active"})
        where = f"{self._http.server} {self.url}/api/v1/targets"
        return [
            _target(target, where)
            for target in found.activeTargets
            if job is None or target.labels.get("job") == job
        ]

    async def rules(self) -> list[Rule]:
        """All rules of all groups, alerting and recording, in their order."""
        found = await self._get("/api/v1/rules", _Groups)
        where = f"{self._http.server} {self.url}/api/v1/rules"
        return [_rule(rule, group, where) for group in found.groups for rule in group.rules]

    async def alertmanagers(self) -> list[str]:
        """The URLs that alerts are sent to, such as `http://alertmanager:9093/api/v2/alerts`."""
        return [
            one.url for one in (await self._get("/api/v1/alertmanagers", _Alertmanagers)).activeAlertmanagers
        ]

    async def flags(self) -> dict[str, str]:
        """The command-line flags in force, by name without dashes."""
        return await self._get("/api/v1/status/flags", dict[str, str])

    async def runtime(self) -> Runtime:
        told = await self._get("/api/v1/status/runtimeinfo", _Runtime)
        return Runtime(
            reload_ok=told.reloadConfigSuccess,
            config_time=wire.unix(told.lastConfigTime),
            retention=told.storageRetention,
            retention_seconds=_retention_seconds(told.storageRetention),
            start_time=wire.unix(told.startTime),
            corruptions=told.corruptionCount,
        )

    async def settling_seconds(self) -> float:
        """How long to wait, at most, for what this server has not done yet because it has just started.

        All versions discover their targets and Alertmanagers about 5 s after the start, and scrape then;
        0 for a server that runs for longer than that takes.
        """
        return max(0.0, (await self.runtime()).start_time + _SETTLED_AFTER_SECONDS - await self.now())

    async def version(self) -> str:
        """The version as the server words it: `3.5.0`, or with a packager's suffix `3.5.3+ds1`."""
        told = await self._get("/api/v1/status/buildinfo", _Build)
        self._seen(self._http.server, told.version, self.url)
        return told.version

    async def config(self) -> str:
        """The running configuration, YAML, secrets masked."""
        return (await self._get("/api/v1/status/config", _Config)).yaml

    async def external_labels(self) -> dict[str, str]:
        """The labels that this server adds to every alert that it sends."""
        import yaml

        try:
            running = yaml.load(await self.config(), Loader=yaml.CSafeLoader)
            return msgspec.convert(running, _Running).global_.external_labels
        except (yaml.YAMLError, msgspec.ValidationError) as error:
            message = f"answered a configuration that cannot be read: {error}"
            raise Nonsense(message, where=self.url) from error

    async def metadata(self, metric: str) -> str | None:
        """The metric's type (counter, gauge, histogram, ...) as its targets declare it, None where none does.

        OpenMetrics declares `x_total` or `x_bucket` as `x`: both names are tried.
        """
        for name in dict.fromkeys((metric, _SUFFIXES.sub("", metric))):
            found = await self._get("/api/v1/metadata", dict[str, list[_Metadata]], {"metric": name})
            if told := found.get(name):
                return told[0].type
        return None

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

        `selector` is an instant vector selector. The last `within_seconds` are looked at hour by hour,
        the hour before the oldest find minute by minute; no API of Prometheus tells it directly
        (headStats is the head alone, the blocks' times are rounded).
        """
        coarse = await self.query(f"min(min_over_time(timestamp({selector})[{within_seconds:.0f}s:1h]))")
        if not coarse:
            return None
        oldest = coarse[0].value
        fine = await self.query(f"min(min_over_time(timestamp({selector})[61m:1m]))", at=oldest + 60)
        return min(oldest, *(sample.value for sample in fine)) if fine else oldest

    async def _range(self, promql: str, start: float, end: float, step_seconds: float) -> list[Series]:
        form = {"query": promql, "start": start, "end": end, "step": step_seconds}
        answer = await self._http.post("/api/v1/query_range", form=form, accept=(200, *_FAILED))
        result = self._data(answer, _Result)
        if result.resultType != "matrix":
            raise Nonsense(f"answered a {result.resultType} where a matrix was expected", where=answer.where)
        return [_series(one, answer) for one in _decode(result.result, list[_MatrixSeries], answer)]

    async def _get(self, path: str, shape: type[_T], params: Mapping[str, Any] | None = None) -> _T:
        given = {name: value for name, value in (params or {}).items() if value != ()}
        return self._data(await self._http.get(path, given, accept=(200, *_FAILED)), shape)

    def _data(self, answer: Answer, shape: type[_T]) -> _T:
        """What is under `data`, warnings noted. Raises QueryError for an error in Prometheus' own form."""
        envelope = answer.json(_Envelope)
        if envelope.status != "success" or answer.status != 200:
            message = f"{envelope.errorType or answer.status}: {envelope.error or 'no reason given'}"
            if envelope.errorType in ("timeout", "canceled"):
                raise TimedOut(message, where=answer.where)
            raise QueryError(message, where=answer.where)
        for warning in (*envelope.warnings, *envelope.infos):
            if warning not in self.warnings:
                self.warnings.append(warning)
        if envelope.warnings and (performance := performing.get()) is not None:
            performance.doubts(f"{answer.where}: warns that {envelope.warnings[0]}")
        return _decode(envelope.data, shape, answer)


class _Envelope(msgspec.Struct):
    status: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    errorType: str = ""
    error: str = ""
    warnings: list[str] = []
    infos: list[str] = []


class _Result(msgspec.Struct):
    resultType: str
    result: msgspec.Raw


class _VectorSample(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str] | None = None


class _MatrixSeries(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] | None = None
    histograms: msgspec.Raw | None = None


class _Target(msgspec.Struct):
    labels: dict[str, str]
    scrapeUrl: str
    health: str
    lastScrape: wire.Moment
    scrapeInterval: str
    scrapeTimeout: str
    lastError: str = ""
    lastScrapeDuration: float = 0.0


class _Targets(msgspec.Struct):
    activeTargets: list[_Target]


class _ActiveAlert(msgspec.Struct):
    labels: dict[str, str]
    state: str
    value: str
    activeAt: wire.Moment | None = None


class _Rule(msgspec.Struct):
    type: Literal["alerting", "recording"]
    name: str
    query: str
    health: str
    lastEvaluation: wire.Moment
    evaluationTime: float = 0.0
    lastError: str = ""
    state: str = ""
    duration: float = 0.0
    keepFiringFor: float = 0.0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    alerts: list[_ActiveAlert] | None = None


class _Group(msgspec.Struct):
    name: str
    file: str
    interval: float
    rules: list[_Rule]


class _Groups(msgspec.Struct):
    groups: list[_Group]


class _Alertmanager(msgspec.Struct):
    url: str


class _Alertmanagers(msgspec.Struct):
    activeAlertmanagers: list[_Alertmanager]


class _Runtime(msgspec.Struct):
    startTime: wire.Moment
    reloadConfigSuccess: bool
    lastConfigTime: wire.Moment
    storageRetention: str
    corruptionCount: int = 0


class _Build(msgspec.Struct):
    version: str


class _Config(msgspec.Struct):
    yaml: str


class _Global(msgspec.Struct):
    external_labels: dict[str, str] = {}


class _Running(msgspec.Struct):
    global_: _Global = msgspec.field(default_factory=_Global, name="global")


class _Metadata(msgspec.Struct):
    type: str


def _decode(raw: msgspec.Raw, shape: type[_T], answer: Answer) -> _T:
    try:
        return msgspec.json.decode(raw, type=shape, strict=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Nonsense(
            f"answered something that is not the JSON expected: {error}", where=answer.where
        ) from error


def _sample(one: _VectorSample, answer: Answer) -> Sample:
    if one.value is None:
        raise Nonsense("answered a native histogram where a number was expected", where=answer.where)
    at, value = one.value
    return Sample(one.metric, wire.number(value, answer.where), at)


def _series(one: _MatrixSeries, answer: Answer) -> Series:
    if one.values is None or one.histograms is not None:
        raise Nonsense("answered a native histogram where numbers were expected", where=answer.where)
    where = answer.where
    return Series(one.metric, [(at, wire.number(value, where)) for at, value in one.values])


def _joined(parts: list[list[Series]]) -> list[Series]:
    if len(parts) == 1:
        return parts[0]
    whole: dict[frozenset[tuple[str, str]], Series] = {}
    for series in (series for part in parts for series in part):
        known = whole.setdefault(frozenset(series.labels.items()), Series(series.labels, []))
        known.points.extend(series.points)
    return list(whole.values())


def _target(target: _Target, where: str) -> Target:
    return Target(
        job=target.labels.get("job", ""),
        instance=target.labels.get("instance", ""),
        labels=target.labels,
        url=target.scrapeUrl,
        health=target.health,
        last_error=target.lastError,
        last_scrape=wire.unix(target.lastScrape),
        scrape_interval_seconds=_duration(target.scrapeInterval, where),
        scrape_timeout_seconds=_duration(target.scrapeTimeout, where),
        scrape_duration_seconds=target.lastScrapeDuration,
    )


def _rule(rule: _Rule, group: _Group, where: str) -> Rule:
    return Rule(
        kind=rule.type,
        name=rule.name,
        expr=rule.query,
        for_seconds=rule.duration,
        keep_firing_for_seconds=rule.keepFiringFor,
        labels=rule.labels,
        annotations=rule.annotations,
        state=rule.state,
        health=rule.health,
        last_error=rule.lastError,
        last_evaluation=wire.unix(rule.lastEvaluation),
        evaluation_seconds=rule.evaluationTime,
        group=group.name,
        file=group.file,
        interval_seconds=group.interval,
        alerts=[
            ActiveAlert(
                a.labels, a.state, wire.unix(a.activeAt) if a.activeAt else 0.0, wire.number(a.value, where)
            )
            for a in rule.alerts or ()
        ],
    )


def _duration(text: str, where: str) -> float:
    try:
        return wire.seconds(text)
    except ValueError as error:
        raise Nonsense(str(error), where=where) from None


def _retention_seconds(words: str) -> float:
    for word in words.split(" or "):
        try:
            return wire.seconds(word)
        except ValueError:
            continue
    return 0.0
