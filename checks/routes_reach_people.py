"""The running Alertmanager sends every alert to the people and channels meant, when it should."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated

from opsconsole.checkkit import (
    Alertmanager,
    AlertmanagerConfig,
    Duration,
    Finding,
    Names,
    NotEmpty,
    Prometheus,
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


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """Whom `alerts` are meant for; `channels` are kinds of integration ("slack") or "kind address"."""

    alerts: Names
    email: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    group_wait: Duration = ""
    repeat_interval: Duration = ""


async def check(
    alertmanager: Alertmanager,
    prometheus: Prometheus,
    *,
    expected: Annotated[list[Expectation], NotEmpty],
    alertmanager_seen_by_prometheus: str = "",
) -> AsyncIterator[Finding | Seen]:
    """By the configuration that runs, the labels that Prometheus sends, and what is in force just now:
    inhibition by alerts that fire, silences, time intervals. `alertmanager_seen_by_prometheus` is its
    URL in Prometheus' eyes, where that is another than ours (a port-forward)."""
    now, labels = await asyncio.gather(in_force(alertmanager), sent_labels(prometheus))
    right = 0
    for expectation in expected:
        for alert in expectation.alerts:
            if alert not in labels:
                yield Finding(subject=alert, summary="no such alert rule is loaded, so nothing is routed")
                continue
            sent = [each for each in labels[alert] if each is not None]
            findings = {
                finding: None
                for each in sent
                for finding in (
                    *_misrouted(now.config, alert, each, expectation),
                    *(Finding(subject=alert, summary=reason) for reason in now.held_back(each)),
                )
            }
            if len(sent) < len(labels[alert]):
                findings[_dropped(alert)] = None
            right += not findings
            for finding in findings:
                yield finding
            for receiver in dict.fromkeys(name for each in sent for name in _receivers(now.config, each)):
                yield Seen(receiver, subject=alert)
    async for said in _connected(prometheus, alertmanager.url, alertmanager_seen_by_prometheus):
        yield said
    yield Seen(f"{right} of {sum(len(e.alerts) for e in expected)} alerts reach whom they are meant for, now")


def _dropped(alert: str) -> Finding:
    return Finding(
        subject=alert,
        summary="is dropped by alert_relabel_configs before it leaves Prometheus",
        remedy="look at alerting.alert_relabel_configs in prometheus.yml",
    )


async def _connected(prometheus: Prometheus, ours: str, theirs: str) -> AsyncIterator[Finding | Seen]:
    connected = await connection(prometheus, ours, theirs)
    for finding in connected.findings:
        yield finding
    if connected.url:
        yield Seen(f"Prometheus sends to {connected.place}")
        async for said in _delivered(prometheus, connected.url):
            yield said


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
        return
    remedy = "its log says why: scheme, authentication, certificate or a proxy"
    if errors >= sent or told.dropped >= sum(told.sent.values()):
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
        f"{lasting(route.group_wait_seconds)}, again every {lasting(route.repeat_interval_seconds)}"
        for route in config.routes(labels)
    ]


def _reached(config: AlertmanagerConfig, receiver: str) -> str:
    return ", ".join(map(str, config.recipients(receiver))) or "nobody"


def _misrouted(
    config: AlertmanagerConfig, alert: str, labels: dict[str, str], meant: Expectation
) -> list[Finding]:
    """Who is missing, who gets it and should not, and at which wrong times."""
    targets = config.recipients(labels)
    path = "\n".join(_receivers(config, labels))
    mailboxes = {target.address for target in targets if target.kind == "email"}
    others = {name for target in targets if target.kind != "email" for name in (target.kind, str(target))}
    kinds = {target.kind for target in targets if target.kind != "email"}
    found = []
    if missing := [*sorted(set(meant.email) - mailboxes), *sorted(set(meant.channels) - others)]:
        found.append(Finding(subject=alert, summary=f"never reaches {', '.join(missing)}", detail=path))
    if extra := [
        *sorted(mailboxes - set(meant.email)),
        *sorted(kinds - {c.split()[0] for c in meant.channels}),
    ]:
        found.append(Finding(subject=alert, summary=f"also reaches {', '.join(extra)}", detail=path))
    for route in config.routes(labels):
        for name, wanted, got in (
            ("group_wait", meant.group_wait, route.group_wait_seconds),
            ("repeat_interval", meant.repeat_interval, route.repeat_interval_seconds),
        ):
            if wanted and seconds(wanted) != got:
                found.append(
                    Finding(subject=alert, summary=f"{name} is {lasting(got)}, not {wanted}", detail=path)
                )
    return found
