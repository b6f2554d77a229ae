"""An alert's way to people: the labels that Alertmanager gets, whether it gets them, what holds them back."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from opsconsole import promql
from opsconsole.checkkit import until
from opsconsole.clients.alertmanager import Alertmanager, Status
from opsconsole.clients.inhibition import Inhibition
from opsconsole.clients.lesser import WrongWayRound
from opsconsole.clients.prometheus import Prometheus, Rule
from opsconsole.clients.relabelling import Outgoing
from opsconsole.clients.routing import AlertmanagerConfig, Route
from opsconsole.clients.silences import Silence, silenced, silenced_later
from opsconsole.errors import Unseen
from opsconsole.model import Finding, Seen

_ALERTS_PATH = "/api/v2/alerts"
_SOON = timedelta(hours=24)

Labels = Mapping[str, str]


async def sent_labels(prometheus: Prometheus) -> dict[str, list[dict[str, str] | None]]:
    """What Alertmanager will see of each alert that a rule is loaded for; see `sent_by`."""
    outgoing, loaded = await asyncio.gather(prometheus.outgoing(), prometheus.rules())
    rules = [rule for rule in loaded if rule.kind == "alerting"]
    sent = await asyncio.gather(*(sent_by(prometheus, rule, outgoing) for rule in rules))
    labels: dict[str, list[dict[str, str] | None]] = {}
    for rule, each in zip(rules, sent, strict=True):
        labels.setdefault(rule.name, []).extend(each)
    return labels


async def sent_by(prometheus: Prometheus, rule: Rule, outgoing: Outgoing) -> list[dict[str, str] | None]:
    """What Alertmanager will see of this rule's alerts: the labels of the rule, and those of the series that
    it judges, as they are now, relabelled as Prometheus does it; None where that drops the alert."""
    judged = await _judged(prometheus, rule.expr)
    return [outgoing.sent({**series, **rule.labels, "alertname": rule.name}) for series in judged]


async def _judged(prometheus: Prometheus, expr: str) -> list[dict[str, str]]:
    """The labels of what the expression compares with its threshold; no labels where there is nothing."""
    comparison = promql.comparison(promql.parse(expr))
    samples = await prometheus.query(comparison.left) if comparison else []
    named = {tuple(sorted((k, v) for k, v in one.labels.items() if k != "__name__")) for one in samples}
    return [dict(labels) for labels in sorted(named)] or [{}]


@dataclass(frozen=True)
class InForce:
    """Alertmanager's configuration and what is in force there at `at`: silences, and the label sets of the
    alerts that it holds."""

    config: AlertmanagerConfig
    active: list[dict[str, str]]
    silences: list[dict[str, Any]]
    at: datetime

    def held_back(self, labels: Labels, meant: Collection[str] = ()) -> Iterator[Finding]:
        """What would keep an alert with these labels from arriving now; not a time interval that is `meant`
        to, by its name, unless nothing is sent for ever."""
        for silence in silenced(labels, self.silences, self.at):
            yield Finding(
                summary=f"is silenced until {_utc(silence.ends_at)} by {silence.created_by}: "
                f"{silence.comment}",
                detail=f"the silence is on {silence.matchers}",
                remedy=f"ask its author, then: amtool silence expire {silence.id}",
            )
        for inhibition in self.config.inhibited(labels, self.active):
            source = inhibition.source.get("alertname", inhibition.source)
            yield Finding(
                summary=f"is inhibited now by {source}, which fires",
                detail=f"by the inhibit rule: {inhibition.rule}",
                remedy=f"see to {source}; is the rule meant to mute this alert?",
            )
        for route in self.config.routes(labels):
            reason = self.config.muted_now(route, self.at)
            for_ever = bool(reason) and self.config.never_sends(route, self.at.date())
            if for_ever or (reason := self.config.muted_now(route.without(meant), self.at)):
                yield Finding(
                    summary=f"notifies nobody now: {reason}",
                    detail=f"the route {route}{', and so it stays for ever' if for_ever else ''}",
                    remedy="correct the time intervals in alertmanager.yml" if for_ever else "",
                )

    def to_come(
        self, labels: Labels, meant: Collection[str] = (), within: timedelta = _SOON
    ) -> Iterator[Finding | Seen]:
        """What will keep it from arriving, as far as that is planned: a finding for what begins `within` this
        time, seen where it begins later, or is a time interval that is `meant`, now too."""
        until = self.at + within
        for silence in silenced_later(labels, self.silences, self.at):
            yield _silenced_later(silence, silence.begins_at <= until)
        for route in self.config.routes(labels):
            yield from self._muted_later(route, meant, until)

    def _muted_later(self, route: Route, meant: Collection[str], until: datetime) -> Iterator[Finding | Seen]:
        names = (*route.mute_time_intervals, *route.active_time_intervals)
        unmeant = route.without(meant)
        if not names or self.config.muted_now(unmeant, self.at):
            return
        if coming := self.config.muted_next(unmeant, self.at, until):
            at, reason = coming
            yield Finding(
                summary=f"will notify nobody from {_utc(at)}: {reason}",
                detail=f"the route {route}",
                remedy="correct the route's time intervals in alertmanager.yml; those that are meant belong "
                "in the checklist: time_intervals",
            )
        elif muted := self.config.muted_now(route, self.at):
            if not self.config.never_sends(route, self.at.date()):
                yield Seen(f"notifies nobody now, as is meant: {muted}")
        elif coming := self.config.muted_next(route, self.at, until):
            yield Seen(f"will notify nobody from {_utc(coming[0])}, as is meant: {coming[1]}")
        else:
            yield Seen(f"its time intervals do not mute it before {_utc(until)}: {', '.join(names)}")

    def muted_by_lesser(
        self, loaded: Iterable[Labels]
    ) -> Callable[[Labels, Collection[str]], Iterator[Finding | Seen]]:
        """A function from an alert's labels, and the names of alerts that are meant to mute it, to what is
        said of others of the `loaded` ones that are less severe and mute it while they fire: a finding for
        each inhibit rule, seen where Alertmanager may overlook it."""
        return partial(_muted_by_lesser, self.config.wrong_way_round(loaded))


def _muted_by_lesser(
    wrong_way_round: WrongWayRound, labels: Labels, meant: Collection[str]
) -> Iterator[Finding | Seen]:
    by_rule: dict[str, list[Inhibition]] = {}
    for inhibition in wrong_way_round.muting(labels):
        if inhibition.source.get("alertname", "") not in meant:
            by_rule.setdefault(inhibition.rule, []).append(inhibition)
    for rule, found in by_rule.items():
        sources = {f"{one.source.get('alertname')} ({one.source['severity']})": None for one in found}
        while_firing = f"silent while the less severe {' or '.join(sources)} fires"
        if any(one.certain for one in found):
            yield Finding(
                summary=f"goes {while_firing}",
                detail=f"by the inhibit rule: {rule}",
                remedy="turn the rule round in alertmanager.yml; alerts that are meant to mute it belong in "
                "the checklist: inhibited_by",
            )
        else:
            yield Seen(f"may go {while_firing}, by the inhibit rule: {rule}")


def _silenced_later(silence: Silence, soon: bool) -> Finding | Seen:
    summary = (
        f"will be silenced from {_utc(silence.begins_at)} until {_utc(silence.ends_at)} "
        f"by {silence.created_by}: {silence.comment}"
    )
    if not soon:
        return Seen(summary)
    return Finding(
        summary=summary,
        detail=f"the silence is on {silence.matchers}",
        remedy="is it planned, and who looks meanwhile? ask its author; to call it off: "
        f"amtool silence expire {silence.id}",
    )


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%F %H:%M} UTC"


async def in_force(alertmanager: Alertmanager) -> InForce:
    """Raises Unseen."""
    config, alerts, silences, now = await asyncio.gather(
        alertmanager.config(), alertmanager.alerts(), alertmanager.silences(), alertmanager.now()
    )
    return InForce(config, [alert.labels for alert in alerts], silences, now)


@dataclass(frozen=True)
class Connection:
    """Whether alerts leave Prometheus for our Alertmanager: `url` is where it sends them, empty where that is
    not our Alertmanager, `known` all that it sends to, and `findings` is what is wrong."""

    url: str = ""
    findings: tuple[Finding, ...] = ()
    known: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The URL without its scheme, which may differ behind a proxy."""
        return _place(self.url)

    def apart(self, status: Status, separate: Collection[str]) -> Finding | None:
        """What is wrong where Prometheus sends to more Alertmanagers than are members of this one's cluster;
        `separate` are those (URL, or host and port) that are meant to be apart."""
        alone = {_host(url) for url in separate}
        urls = {_place(url): url for url in self.known if _host(url) not in alone}
        members = max(status.peers, 1)
        if len(urls) <= members:
            return None
        disabled = status.cluster_status == "disabled"
        cluster = "is in no cluster" if disabled else f"sees a cluster of {members}, itself included"
        return Finding(
            summary=f"Prometheus sends to {len(urls)} Alertmanagers, and this one {cluster}: a silence holds "
            "on one alone, and every notification comes from each that is up",
            detail="\n".join(urls.values()),
            remedy="are all up, do they name each other with --cluster.peer, is their port 9094 open? "
            "One that is no replica belongs in the setting separate_alertmanagers",
        )


async def connection(prometheus: Prometheus, ours: str, theirs: str = "") -> Connection:
    """`ours` is Alertmanager's URL, `theirs` the same in Prometheus' eyes, where that is another one (a
    port-forward). Waits for a Prometheus that has just started. Raises Unseen where it cannot be told."""

    async def any_known() -> list[str]:
        return await prometheus.alertmanagers()

    settling = await prometheus.settling_seconds()
    known = await until(any_known, within_seconds=settling, what="Prometheus to find its Alertmanager") or []
    wanted = _place(f"{theirs or ours}{_ALERTS_PATH}")
    if not known:
        return _astray(
            "Prometheus knows no Alertmanager: no alert leaves it",
            "look at alerting.alertmanagers in prometheus.yml",
        )
    if same := [url for url in known if _place(url) == wanted]:
        return Connection(same[0], () if theirs else tuple(_other_scheme(same, ours)), tuple(known))
    if wanted in (_place(url).replace("/api/v1/", "/api/v2/") for url in known):
        return _astray(
            "Prometheus sends to Alertmanager's API v1, which it has no longer since 0.27",
            "set api_version: v2 in alerting.alertmanagers of prometheus.yml",
        )
    if theirs:
        return _astray(f"Prometheus sends to {', '.join(known)}, not to {theirs}")
    if vain := await _in_vain(prometheus, known):
        return vain
    raise Unseen(
        f"Prometheus sends to {', '.join(known)}; whether that is {ours} cannot be seen",
        hint='say so: alertmanager_seen_by_prometheus = "…" in [env.NAME.settings]',
    )


async def _in_vain(prometheus: Prometheus, known: list[str]) -> Connection | None:
    """What is wrong where none of these Alertmanagers has taken an alert, whichever is ours."""
    try:
        told = await prometheus.sending()
    except Unseen:
        return None
    if not all(map(told.in_vain, known)):
        return None
    return _astray(
        "; ".join(f"Prometheus sent {told.sent[url]:g} alerts to {url}, and none was taken" for url in known),
        "is that its address? look at alerting.alertmanagers in prometheus.yml; Prometheus' log says why",
    )


def _host(url: str) -> str:
    return urlsplit(url if "//" in url else f"//{url}").netloc


def _other_scheme(same: list[str], ours: str) -> Iterator[Finding]:
    if all(urlsplit(url).scheme != urlsplit(ours).scheme for url in same):
        yield Finding(
            summary=f"Prometheus sends to {same[0]}, and Alertmanager answers at {ours}",
            remedy="correct the scheme in alerting.alertmanagers of prometheus.yml",
        )


def _astray(summary: str, remedy: str = "") -> Connection:
    return Connection(findings=(Finding(summary=summary, remedy=remedy),))


def _place(url: str) -> str:
    """Host, port and path."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}".replace("//", "/")
