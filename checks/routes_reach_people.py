"""The running Alertmanager sends every alert to the people and channels meant, when it should."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import chain
from typing import Annotated

from opsconsole.checkkit import (
    Alertmanager,
    AlertmanagerConfig,
    Duration,
    Finding,
    InForce,
    Names,
    NotEmpty,
    Prometheus,
    Route,
    Seen,
    Unseen,
    connection,
    in_force,
    lasting,
    seconds,
    sent_labels,
)

DIAGNOSIS = ("alertmanager_answers", "prometheus_answers", "notifications_are_sent")

_RECENT = "15m"
_ALIKE = 0.85


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """Whom `alerts` are meant for; `channels` are kinds of integration ("slack") or "kind address".

    `time_intervals` are those of Alertmanager, by name, in which they are meant to be muted, or outside which
    where they are active ones; `inhibited_by` are alerts that are meant to mute them though less severe."""

    alerts: Names
    email: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    group_wait: Duration = ""
    group_interval: Duration = ""
    repeat_interval: Duration = ""
    time_intervals: list[str] = field(default_factory=list)
    inhibited_by: list[str] = field(default_factory=list)


Sent = Mapping[str, Sequence[dict[str, str] | None]]
"""The label sets in which each alert leaves Prometheus; None for one that is dropped there."""

Silent = Callable[[dict[str, str], Expectation], Iterable[Finding | Seen]]
"""What silences an alert with these labels that is meant so, or will."""


async def check(
    alertmanager: Alertmanager,
    prometheus: Prometheus,
    *,
    expected: Annotated[list[Expectation], NotEmpty],
    alertmanager_seen_by_prometheus: str = "",
    separate_alertmanagers: tuple[str, ...] = (),
    external_labels: dict[str, str] | None = None,
) -> AsyncIterator[Finding | Seen]:
    """By the configuration that runs, the labels that Prometheus sends, what is in force just now (inhibition
    by alerts that fire, silences, time intervals), and what begins within 24 hours.
    `alertmanager_seen_by_prometheus` is its URL in Prometheus' eyes, where that is another than ours (a
    port-forward); `separate_alertmanagers` are others that Prometheus sends to and that are no replicas of
    ours: their URLs, or hosts and ports; `external_labels` are those that every alert must carry when it
    leaves Prometheus."""
    connected = _connected(prometheus, alertmanager, alertmanager_seen_by_prometheus, separate_alertmanagers)
    try:
        now, labels = await asyncio.gather(in_force(alertmanager), sent_labels(prometheus))
    except Unseen:
        with suppress(Unseen):
            async for said in connected:
                yield said
        raise
    async for said in _reloaded(alertmanager):
        yield said
    silent = _silent(now, labels)
    told = [
        list(_reach(now.config, silent, alert, labels.get(alert, ()), expectation))
        for expectation in expected
        for alert in expectation.alerts
    ]
    for said in chain.from_iterable(told):
        yield said
    for said in _unmarked(labels, external_labels or {}):
        yield said
    async for said in connected:
        yield said
    right = sum(not any(isinstance(said, Finding) for said in of_one) for of_one in told)
    yield Seen(
        f"{right} of {len(told)} alerts reach whom they are meant for, when they are meant to: "
        "now, and by what is planned for the next 24 h"
    )


def _reach(
    config: AlertmanagerConfig,
    silent: Silent,
    alert: str,
    labels: Sequence[dict[str, str] | None],
    meant: Expectation,
) -> Iterator[Finding | Seen]:
    """Of one alert and the label sets that leave Prometheus, None for one that is dropped there."""
    if not labels:
        yield Finding(subject=alert, summary="no such alert rule is loaded, so nothing is routed")
    sent = [each for each in labels if each is not None]
    said: dict[Finding | Seen, None] = {}
    for each in sent:
        found = (*_misrouted(config, alert, each, meant), *silent(each, meant))
        said |= {replace(one, subject=alert): None for one in found}
    yield from said
    if len(sent) < len(labels):
        yield _dropped(alert)
    for receiver in dict.fromkeys(name for each in sent for name in _receivers(config, each)):
        yield Seen(receiver, subject=alert)


def _silent(now: InForce, labels: Sent) -> Silent:
    by_lesser = now.muted_by_lesser(one for one in chain.from_iterable(labels.values()) if one is not None)

    def told(sent: dict[str, str], meant: Expectation) -> Iterator[Finding | Seen]:
        yield from now.held_back(sent, meant.time_intervals)
        yield from now.to_come(sent, meant.time_intervals)
        yield from by_lesser(sent, meant.inhibited_by)

    return told


def _dropped(alert: str) -> Finding:
    return Finding(
        subject=alert,
        summary="is dropped by alert_relabel_configs before it leaves Prometheus",
        remedy="look at alerting.alert_relabel_configs in prometheus.yml",
    )


def _unmarked(labels: Sent, external: Mapping[str, str]) -> Iterator[Finding]:
    """The external labels that alerts lack, or have with another value."""
    for name, value in external.items():
        lacking = {
            alert: one.get(name, "")
            for alert, sent in labels.items()
            for one in sent
            if one is not None and one.get(name) != value
        }
        if lacking:
            others = sorted({f'{name}="{other}"' for other in lacking.values() if other})
            instead = f", with {', '.join(others)} instead" if others else ""
            yield Finding(
                summary=f'{len(lacking)} alerts leave Prometheus without {name}="{value}"{instead}',
                detail=", ".join(lacking),
                remedy="look at global.external_labels in prometheus.yml, and at alert_relabel_configs",
            )


async def _reloaded(alertmanager: Alertmanager) -> AsyncIterator[Finding | Seen]:
    try:
        last = await alertmanager.reloaded()
    except Unseen as unseen:
        yield Seen(f"whether its last reload was accepted was not looked at: {unseen.message}")
        return
    if last.refusal:
        yield last.refusal


async def _connected(
    prometheus: Prometheus, alertmanager: Alertmanager, theirs: str, separate: Collection[str]
) -> AsyncIterator[Finding | Seen]:
    connected = await connection(prometheus, alertmanager.url, theirs)
    for finding in connected.findings:
        yield finding
    if not connected.url:
        return
    yield Seen(f"Prometheus sends to {connected.place}")
    async for said in _delivered(prometheus, connected.url):
        yield said
    status = await alertmanager.status()
    if status.cluster_status == "settling":
        yield Seen("its cluster is settling still: whether its replicas are all in it was not looked at")
    elif alone := connected.apart(status, separate):
        yield alone


async def _delivered(prometheus: Prometheus, url: str) -> AsyncIterator[Finding | Seen]:
    """Whether alerts get there, by the counters of Prometheus since it started: all in vain, or, where it
    scrapes itself, some just now. An old error is none."""
    try:
        told = await prometheus.sending()
    except Unseen as unseen:
        yield Seen(f"whether alerts get there was not looked at: {unseen.message}")
        return
    sent, errors = told.sent.get(url, 0.0), told.errors.get(url, 0.0)
    if not errors:
        if not sent:
            yield Seen(
                "whether alerts get there was not looked at: Prometheus has sent none since it started; "
                "`opsconsole alert-test` does"
            )
        return
    remedy = "its log says why: scheme, authentication, certificate or a proxy"
    if told.in_vain(url):
        summary = f"Prometheus sent {sent:g} alerts to {url}, and none was taken"
        yield Finding(summary=summary, remedy=remedy)
        return
    failing = f'prometheus_notifications_errors_total{{alertmanager="{url}"}}[{_RECENT}]'
    growth = await prometheus.query(f"sum(increase({failing}))")
    if growth and growth[0].value > 0:
        summary = f"alerts to {url} have failed within the last {_RECENT}"
        yield Finding(summary=summary, detail=f"{errors:g} errors since Prometheus started", remedy=remedy)
    else:
        when = f"none of them in the last {_RECENT}" if growth else "when, it does not tell"
        yield Seen(f"{errors:g} errors in sending to {url} since Prometheus started, {when}")


def _receivers(config: AlertmanagerConfig, labels: dict[str, str]) -> list[str]:
    return [
        f"{route} → {route.receiver}: {_reached(config, route.receiver)}, after "
        f"{lasting(route.group_wait_seconds)}, news every {lasting(route.group_interval_seconds)}, "
        f"again every {lasting(route.repeat_interval_seconds)}"
        for route in config.routes(labels)
    ]


def _reached(config: AlertmanagerConfig, receiver: str) -> str:
    return ", ".join(map(str, config.recipients(receiver))) or "nobody, it has no integration"


def _misrouted(
    config: AlertmanagerConfig, alert: str, labels: dict[str, str], meant: Expectation
) -> list[Finding]:
    """Who is missing, who gets it and should not, and at which wrong times."""
    path = "\n".join(_receivers(config, labels))
    reached = _names(config, labels)
    mailboxes = {target.address for target in config.recipients(labels) if target.kind == "email"}
    kinds = {target.kind for target in config.recipients(labels) if target.kind != "email"}
    found = []
    extra = [
        *sorted(mailboxes - set(meant.email)),
        *sorted(kinds - {c.split()[0] for c in meant.channels}),
    ]
    if missing := [*sorted(set(meant.email) - reached), *sorted(set(meant.channels) - reached)]:
        why = "\n".join([path, *_why(config, labels, missing, extra)])
        found.append(Finding(subject=alert, summary=f"never reaches {', '.join(missing)}", detail=why))
    if extra:
        found.append(Finding(subject=alert, summary=f"also reaches {', '.join(extra)}", detail=path))
    for route in config.routes(labels):
        for name, wanted, got in (
            ("group_wait", meant.group_wait, route.group_wait_seconds),
            ("group_interval", meant.group_interval, route.group_interval_seconds),
            ("repeat_interval", meant.repeat_interval, route.repeat_interval_seconds),
        ):
            if wanted and seconds(wanted) != got:
                why = "\n".join([path, *_why_not_in_time(config, labels, name, seconds(wanted), reached)])
                found.append(
                    Finding(subject=alert, summary=f"{name} is {lasting(got)}, not {wanted}", detail=why)
                )
        if not meant.group_interval and route.group_interval_seconds > route.repeat_interval_seconds:
            found.append(_repeats_seldom(alert, route))
    return found


def _repeats_seldom(alert: str, route: Route) -> Finding:
    interval = lasting(route.group_interval_seconds)
    return Finding(
        subject=alert,
        summary=f"is repeated every {interval} only, not every {lasting(route.repeat_interval_seconds)}, and "
        f"others of its group wait for that: its group_interval is {interval}",
        detail=f"the route {route}",
        remedy="group_interval belongs below repeat_interval; where this is meant, say so in the checklist: "
        "group_interval",
    )


def _why_not_in_time(
    config: AlertmanagerConfig, labels: dict[str, str], name: str, wanted_seconds: float, reached: set[str]
) -> Iterator[str]:
    """What keeps it from a route to the same people with the time that is meant."""
    for over in config.passed_over(labels):
        right = getattr(over.route, f"{name}_seconds") == wanted_seconds
        if right and _names(config, over.route.receiver) & reached:
            yield f"{over.route} → {over.route.receiver} has the {name} that is meant, but {over.because}"


def _why(
    config: AlertmanagerConfig, labels: dict[str, str], missing: list[str], extra: list[str]
) -> Iterator[str]:
    """What keeps it from those who are missing, where that can be told."""
    every = {name for receiver in config.receivers for name in _names(config, receiver)}
    for name in missing:
        if alike := get_close_matches(name, extra, 1, _ALIKE):
            yield f"{alike[0]} is almost {name}: is it misspelt?"
        elif name not in every:
            yield f"no receiver has {name}"
    for over in config.passed_over(labels):
        if _names(config, over.route.receiver) & set(missing):
            yield f"{over.route} → {over.route.receiver} would reach them, but {over.because}"


def _names(config: AlertmanagerConfig, of: str | dict[str, str]) -> set[str]:
    """Whom a receiver, or an alert, reaches, as an expectation may name them."""
    targets = config.recipients(of)
    mailboxes = {target.address for target in targets if target.kind == "email"}
    return mailboxes | {name for t in targets if t.kind != "email" for name in (t.kind, str(t))}
