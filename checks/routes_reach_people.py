"""The running Alertmanager sends every alert to the people and channels meant, when it should."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

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
    lasting,
    promql,
    seconds,
    silenced,
    until,
)

DIAGNOSIS = ("alertmanager_answers", "prometheus_answers", "notifications_are_sent")

_ALERTS_PATH = "/api/v2/alerts"
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
    config, alerts, silences, now, labels = await asyncio.gather(
        alertmanager.config(),
        alertmanager.alerts(),
        alertmanager.silences(),
        alertmanager.now(),
        _labels(prometheus),
    )
    state = _State(config, [alert.labels for alert in alerts], silences, now)
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
                for finding in (*state.misrouted(alert, each, expectation), *state.held_back(alert, each))
            }
            if len(sent) < len(labels[alert]):
                findings[_dropped(alert)] = None
            right += not findings
            for finding in findings:
                yield finding
            for receiver in dict.fromkeys(name for each in sent for name in state.receivers(each)):
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


async def _labels(prometheus: Prometheus) -> dict[str, list[dict[str, str] | None]]:
    """What Alertmanager will see of each alert: the labels of its rule, and those of the series that it
    judges, as they are now, relabelled as Prometheus does it; None where it drops the alert."""
    outgoing, loaded = await asyncio.gather(prometheus.outgoing(), prometheus.rules())
    rules = [rule for rule in loaded if rule.kind == "alerting"]
    judged = await asyncio.gather(*(_judged(prometheus, rule.expr) for rule in rules))
    labels: dict[str, list[dict[str, str] | None]] = {}
    for rule, found in zip(rules, judged, strict=True):
        for series in found:
            own = {**series, **rule.labels, "alertname": rule.name}
            labels.setdefault(rule.name, []).append(outgoing.sent(own))
    return labels


async def _judged(prometheus: Prometheus, expr: str) -> list[dict[str, str]]:
    """The labels of what the expression compares with its threshold; no labels where there is nothing."""
    comparison = promql.comparison(promql.parse(expr))
    samples = await prometheus.query(comparison.left) if comparison else []
    named = {tuple(sorted((k, v) for k, v in one.labels.items() if k != "__name__")) for one in samples}
    return [dict(labels) for labels in sorted(named)] or [{}]


async def _connected(prometheus: Prometheus, ours: str, theirs: str) -> AsyncIterator[Finding | Seen]:
    async def any_known() -> list[str]:
        return await prometheus.alertmanagers()

    known = (
        await until(
            any_known,
            within_seconds=await prometheus.settling_seconds(),
            what="Prometheus to find its Alertmanager",
        )
        or []
    )
    wanted = _place(f"{theirs or ours}{_ALERTS_PATH}")
    if not known:
        yield Finding(
            summary="Prometheus knows no Alertmanager: no alert leaves it",
            remedy="look at alerting.alertmanagers in prometheus.yml",
        )
    elif same := [url for url in known if _place(url) == wanted]:
        if not theirs and all(urlsplit(url).scheme != urlsplit(ours).scheme for url in same):
            yield Finding(
                summary=f"Prometheus sends to {same[0]}, and Alertmanager answers at {ours}",
                remedy="correct the scheme in alerting.alertmanagers of prometheus.yml",
            )
        yield Seen(f"Prometheus sends to {wanted}")
        async for said in _delivered(prometheus, same[0]):
            yield said
    elif wanted in (_place(url).replace("/api/v1/", "/api/v2/") for url in known):
        yield Finding(
            summary="Prometheus sends to Alertmanager's API v1, which it has no longer since 0.27",
            remedy="set api_version: v2 in alerting.alertmanagers of prometheus.yml",
        )
    elif theirs:
        yield Finding(summary=f"Prometheus sends to {', '.join(known)}, not to {theirs}")
    else:
        raise Unseen(
            f"Prometheus sends to {', '.join(known)}; whether that is {ours} cannot be seen",
            hint='say so: alertmanager_seen_by_prometheus = "…" in [env.NAME.settings]',
        )


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


def _place(url: str) -> str:
    """Host, port and path: the scheme may differ behind a proxy."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}".replace("//", "/")


@dataclass
class _State:
    """The configuration and what is in force now."""

    config: AlertmanagerConfig
    active: list[dict[str, str]]
    silences: list[dict[str, Any]]
    at: datetime

    def receivers(self, labels: dict[str, str]) -> list[str]:
        return [
            f"{route} → {route.receiver}: {self._reached(route.receiver)}, after "
            f"{lasting(route.group_wait_seconds)}, again every {lasting(route.repeat_interval_seconds)}"
            for route in self.config.routes(labels)
        ]

    def _reached(self, receiver: str) -> str:
        return ", ".join(map(str, self.config.recipients(receiver))) or "nobody"

    def misrouted(self, alert: str, labels: dict[str, str], meant: Expectation) -> list[Finding]:
        """Who is missing, who gets it and should not, and at which wrong times."""
        targets = self.config.recipients(labels)
        path = "\n".join(self.receivers(labels))
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
        for route in self.config.routes(labels):
            for name, wanted, got in (
                ("group_wait", meant.group_wait, route.group_wait_seconds),
                ("repeat_interval", meant.repeat_interval, route.repeat_interval_seconds),
            ):
                if wanted and seconds(wanted) != got:
                    found.append(
                        Finding(subject=alert, summary=f"{name} is {lasting(got)}, not {wanted}", detail=path)
                    )
        return found

    def held_back(self, alert: str, labels: dict[str, str]) -> list[Finding]:
        """What would keep it from arriving now."""
        reasons = [
            f"is silenced until {silence.ends_at:%F %H:%M} UTC by {silence.created_by}: {silence.comment}"
            for silence in silenced(labels, self.silences, self.at)
        ]
        reasons += [
            f"is inhibited now by {inhibition.source.get('alertname', inhibition.source)}, which fires"
            for inhibition in self.config.inhibited(labels, self.active)
        ]
        muted = [self.config.muted_now(route, self.at) for route in self.config.routes(labels)]
        reasons += [f"notifies nobody now: {reason}" for reason in muted if reason]
        return [Finding(subject=alert, summary=reason) for reason in reasons]
