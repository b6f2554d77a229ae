"""Alerts that can fire and reach nobody: by Alertmanager's routing, and by what is always in its way."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import promql_parser as p

from opsconsole.checkkit import lasting
from opsconsole.errors import Nonsense
from opsconsole.promql import parse
from opsconsole.promql.trees import walk
from opsconsole.rehearse.model import Warned

if TYPE_CHECKING:
    from opsconsole.clients.alertmanager import Alert, Alertmanager
    from opsconsole.clients.prometheus import Prometheus, Rule
    from opsconsole.clients.relabelling import Outgoing
    from opsconsole.clients.routing import AlertmanagerConfig

_LONG = timedelta(days=1)
"""An alert that has fired for so long is taken for one that always fires."""

_FAR = timedelta(days=90)
"""A silence that ends so much later was not made for an incident or a maintenance."""

_DROPPED = Warned(
    kind="reaches-nobody",
    summary="alert_relabel_configs drop it before it leaves Prometheus",
    correction="look at alerting.alert_relabel_configs in prometheus.yml",
)
_UNSENT = Warned(
    kind="reaches-nobody",
    summary="Prometheus knows no Alertmanager: no alert leaves it",
    correction="look at alerting.alertmanagers in prometheus.yml",
)


@dataclass(frozen=True, slots=True)
class InForce:
    """The routing at `at`, an aware time. `standing` are the label sets of the alerts that always fire, with
    how that is known."""

    config: "AlertmanagerConfig"
    standing: Sequence[tuple[Mapping[str, str], str]]
    silences: Sequence[Mapping[str, Any]]
    at: datetime


async def onward_warnings(
    alertmanager: "Alertmanager", prometheus: "Prometheus", fired: Mapping[str, Mapping[str, str]]
) -> dict[str, list[Warned]]:
    """What is wrong with the way of these alerts to people, for those of whom something is.

    `fired` has the labels that each alert fired with, by its name or by any key if `alertname` is among
    them. Asks each server a few questions, however many alerts there are; raises Unseen where one of them
    cannot be seen. Of an alert whose way cannot be told exactly nothing is said.
    """
    if not fired:
        return {}
    (known, settling, outgoing, rules), (config, alerts, silences, at) = await asyncio.gather(
        asyncio.gather(
            prometheus.alertmanagers(),
            prometheus.settling_seconds(),
            prometheus.outgoing(),
            prometheus.rules(),
        ),
        asyncio.gather(
            alertmanager.config(), alertmanager.alerts(), alertmanager.silences(), alertmanager.now()
        ),
    )
    now = InForce(config, list(_standing(alerts, rules, at)), silences, at)
    unsent = [] if known or settling else [_UNSENT]
    found = {
        name: unsent or _of_one({"alertname": name, **labels}, outgoing, now)
        for name, labels in fired.items()
    }
    return {name: warned for name, warned in found.items() if warned}


def _standing(
    alerts: "Sequence[Alert]", rules: "Sequence[Rule]", at: datetime
) -> Iterator[tuple[Mapping[str, str], str]]:
    constant = {rule.name for rule in rules if rule.kind == "alerting" and _constant(rule.expr)}
    for alert in alerts:
        age_seconds = at.timestamp() - alert.starts_at
        if alert.labels.get("alertname") in constant:
            yield alert.labels, "which always fires"
        elif age_seconds > _LONG.total_seconds():
            yield alert.labels, f"which has fired for {lasting(age_seconds)}"


def _constant(expr: str) -> bool:
    """Whether neither a series nor the time has a say in it, as in `vector(1)`."""
    try:
        nodes = list(walk(parse(expr)))
        calls = {node.func.name for node in nodes if isinstance(node, p.Call)}
        return calls <= {"vector"} and not any(isinstance(node, p.VectorSelector) for node in nodes)
    except Nonsense:  # what a newer server reads and the parser here does not
        return False


def _of_one(labels: Mapping[str, str], outgoing: "Outgoing", now: InForce) -> list[Warned]:
    try:
        sent = outgoing.sent(labels)
        return [_DROPPED] if sent is None else list(_held(sent, now))
    except Nonsense:
        return []


def _held(labels: Mapping[str, str], now: InForce) -> Iterator[Warned]:
    from opsconsole.clients.silences import silenced

    routes = now.config.routes(labels)
    peopled = [route for route in routes if now.config.recipients(route.receiver)]
    if not peopled:
        receivers = ", ".join(dict.fromkeys(route.receiver for route in routes))
        yield Warned(
            kind="reaches-nobody",
            summary=f"it is routed to {receivers}, which notifies no one ({_path(routes)})",
            correction="give the receiver a target, or the alert the labels that its route asks for",
        )
    elif all(now.config.never_sends(route, now.at.date()) for route in peopled):
        intervals = [
            name for route in peopled for name in (*route.mute_time_intervals, *route.active_time_intervals)
        ]
        yield _always(f"its route is muted at all times, by {', '.join(dict.fromkeys(intervals))}")
    for source, known in now.standing:
        for inhibition in now.config.inhibited(labels, [source]):
            if inhibition.certain:
                name = source.get("alertname", "an alert")
                yield _always(f"it is inhibited by {name}, {known}: {inhibition.rule}")
    for silence in silenced(labels, now.silences, now.at):
        if silence.ends_at - now.at > _FAR:
            by = f"{silence.created_by}: {silence.comment}"
            yield _always(f"it is silenced until {silence.ends_at:%F} by {by}")


def _path(routes: Sequence[Any]) -> str:
    return "; ".join(str(route) for route in routes)


def _always(summary: str) -> Warned:
    return Warned(kind="always-inhibited", summary=summary)
