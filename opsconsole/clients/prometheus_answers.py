"""What Prometheus answers, as it comes and as the client tells it.

Times are unix seconds, durations seconds. What begins with Raw, and the envelopes, are the shapes of the HTTP
API v1; the functions make the public shapes of them.
"""

from typing import Literal, TypeVar

import msgspec

from opsconsole.clients import wire
from opsconsole.clients.http import Answer
from opsconsole.clients.relabelling import Outgoing, Step
from opsconsole.errors import Nonsense

_T = TypeVar("_T")


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
    `group_seconds` is what the last evaluation of its whole group took, `limit` the most alerts or series
    that a rule of the group may bring (0: any number).
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
    group_seconds: float = 0.0
    limit: int = 0


class Loading(msgspec.Struct, frozen=True, kw_only=True):
    """From where the running configuration loads rules: paths and patterns, as absolute as its own path is;
    and how often a group is evaluated that says nothing of it, None where the configuration does not tell. So
    long ago is the time by which such a group judges: `query_offset_seconds`."""

    rule_files: list[str]
    interval_seconds: float | None
    query_offset_seconds: float = 0.0


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


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """How many alerts this server has sent since it started, by the URL that it sends to, failed ones
    included; in how many tries it failed (before 2.55 it counts requests, not alerts); and how many alerts it
    dropped, which no Alertmanager took."""

    sent: dict[str, float]
    errors: dict[str, float]
    dropped: float

    def in_vain(self, url: str) -> bool:
        """Whether it has sent alerts there, and none was taken."""
        sent, errors = self.sent.get(url, 0.0), self.errors.get(url, 0.0)
        return errors > 0 and (errors >= sent or self.dropped >= sum(self.sent.values()))


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """The time of the oldest sample of all in the storage, and how often blocks were deleted since the server
    started because of the limit on size; None where it does not tell."""

    earliest: float | None
    cuts_by_size: float | None


class Envelope(msgspec.Struct):
    status: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    errorType: str = ""
    error: str = ""
    warnings: list[str] = []
    infos: list[str] = []


class Result(msgspec.Struct):
    resultType: str
    result: msgspec.Raw


class VectorSample(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str] | None = None


class MatrixSeries(msgspec.Struct):
    metric: dict[str, str]
    values: msgspec.Raw = msgspec.Raw()
    histograms: msgspec.Raw = msgspec.Raw()


class RawTarget(msgspec.Struct):
    labels: dict[str, str]
    scrapeUrl: str
    health: str
    lastScrape: wire.Moment
    scrapeInterval: str
    scrapeTimeout: str
    lastError: str = ""
    lastScrapeDuration: float = 0.0


class Targets(msgspec.Struct):
    activeTargets: list[RawTarget]


class RawActiveAlert(msgspec.Struct):
    labels: dict[str, str]
    state: str
    value: str
    activeAt: wire.Moment | None = None


class RawRule(msgspec.Struct):
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
    alerts: list[RawActiveAlert] | None = None


class Group(msgspec.Struct):
    name: str
    file: str
    interval: float
    rules: list[RawRule]
    evaluationTime: float = 0.0
    limit: int = 0


class Groups(msgspec.Struct):
    groups: list[Group]


class Alertmanager(msgspec.Struct):
    url: str


class Alertmanagers(msgspec.Struct):
    activeAlertmanagers: list[Alertmanager]


class RawRuntime(msgspec.Struct):
    startTime: wire.Moment
    reloadConfigSuccess: bool
    lastConfigTime: wire.Moment
    storageRetention: str
    corruptionCount: int = 0


class Build(msgspec.Struct):
    version: str


class Config(msgspec.Struct):
    yaml: str


class Global(msgspec.Struct):
    external_labels: dict[str, str] = {}
    evaluation_interval: str = ""
    rule_query_offset: str = ""


class AlertmanagerConfig(msgspec.Struct):
    alert_relabel_configs: list[Step] = []


class Alerting(msgspec.Struct):
    alert_relabel_configs: list[Step] = []
    alertmanagers: list[AlertmanagerConfig] = []


class Running(msgspec.Struct):
    global_: Global = msgspec.field(default_factory=Global, name="global")
    alerting: Alerting = msgspec.field(default_factory=Alerting)
    rule_files: list[str] = []

    def loading(self, where: str) -> Loading:
        every, offset = self.global_.evaluation_interval, self.global_.rule_query_offset
        return Loading(
            rule_files=self.rule_files,
            interval_seconds=duration(every, where) if every else None,
            query_offset_seconds=duration(offset, where) if offset else 0.0,
        )

    def outgoing(self, where: str) -> Outgoing:
        """Raises Nonsense where several Alertmanagers are sent to and one has relabelling of its own."""
        alerting, *more = self.alerting.alertmanagers or [AlertmanagerConfig()]
        if any(one.alert_relabel_configs for one in (alerting, *more)) and more:
            raise Nonsense(
                "one of several Alertmanagers has alert_relabel_configs of its own; which cannot be told",
                where=where,
            )
        steps = [*self.alerting.alert_relabel_configs, *alerting.alert_relabel_configs]
        return Outgoing(self.global_.external_labels, steps)


class Metadata(msgspec.Struct):
    type: str


def decode(raw: msgspec.Raw, shape: type[_T], answer: Answer) -> _T:
    try:
        return msgspec.json.decode(raw, type=shape, strict=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Nonsense(
            f"answered something that is not the JSON expected: {error}", where=answer.where
        ) from error


def sample(one: VectorSample, answer: Answer) -> Sample:
    if one.value is None:
        raise Nonsense("answered a native histogram where a number was expected", where=answer.where)
    at, value = one.value
    return Sample(one.metric, wire.number(value, answer.where), at)


def series(one: MatrixSeries, answer: Answer) -> Series:
    if not _given(one.values) or _given(one.histograms):
        raise Nonsense("answered a native histogram where numbers were expected", where=answer.where)
    where = answer.where
    points = decode(one.values, list[tuple[float, str]], answer)
    return Series(one.metric, [(at, wire.number(value, where)) for at, value in points])


def _given(raw: msgspec.Raw) -> bool:
    return bytes(raw) not in (b"", b"null")


def joined(parts: list[list[Series]]) -> list[Series]:
    if len(parts) == 1:
        return parts[0]
    whole: dict[frozenset[tuple[str, str]], Series] = {}
    for series in (series for part in parts for series in part):
        known = whole.setdefault(frozenset(series.labels.items()), Series(series.labels, []))
        known.points.extend(series.points)
    return list(whole.values())


def target(target: RawTarget, where: str) -> Target:
    return Target(
        job=target.labels.get("job", ""),
        instance=target.labels.get("instance", ""),
        labels=target.labels,
        url=target.scrapeUrl,
        health=target.health,
        last_error=target.lastError,
        last_scrape=wire.unix(target.lastScrape),
        scrape_interval_seconds=duration(target.scrapeInterval, where),
        scrape_timeout_seconds=duration(target.scrapeTimeout, where),
        scrape_duration_seconds=target.lastScrapeDuration,
    )


def rule(rule: RawRule, group: Group, where: str) -> Rule:
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
        group_seconds=group.evaluationTime,
        limit=group.limit,
    )


def duration(text: str, where: str) -> float:
    try:
        return wire.seconds(text)
    except ValueError as error:
        raise Nonsense(str(error), where=where) from None


def retention_seconds(words: str) -> float:
    for word in words.split(" or "):
        try:
            return wire.seconds(word)
        except ValueError:
            continue
    return 0.0
