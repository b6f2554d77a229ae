"""Why a signal stopped: for each hop, what is looked at to know, and what it comes to.

A server that cannot be asked is one of the things that are told, never a reason to tell nothing.
"""

import time
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from opsconsole.checkkit import lasting
from opsconsole.clients.alertmanager import Alert
from opsconsole.clients.prometheus import Rule
from opsconsole.clients.prometheus import Target as ScrapeTarget
from opsconsole.clients.receivers import Target
from opsconsole.errors import Unseen
from opsconsole.model import Hop, Outcome
from opsconsole.walkthrough.sight import Sight
from opsconsole.walkthrough.tracing import Stopped

_T = TypeVar("_T")


async def not_moved(sight: Sight, job: str, given: str) -> Stopped:
    """The cause was given and the metric has not passed the threshold. `given` tells what was sent."""
    looked = [f"what was sent: {given}"]
    targets = await asked(sight.prometheus.targets(job), looked)
    for target in targets or ():
        looked.append(_scrape(target))
    down = [target for target in targets or () if target.health != "up"]
    stale = [target for target in targets or () if _overdue(target)]
    if targets == []:
        because = f"Prometheus has no target of the job {job}"
    elif down:
        because = f"Prometheus does not scrape {down[0].instance}: {down[0].last_error or down[0].health}"
    elif stale:
        because = f"Prometheus scrapes {stale[0].instance} no longer"
    else:
        because = "the requests were answered as they should be, and the value did not pass the threshold"
    return stopped(Hop.METRIC, because, looked, "runbooks/webhook-metrics-missing.md, runbooks/no-data.md")


async def not_pending(sight: Sight, alert: str) -> Stopped:
    """The metric is over the threshold and the rule has not seen it."""
    looked: list[str] = []
    rules = await asked(sight.prometheus.rules(), looked)
    rule = next((rule for rule in rules or () if rule.name == alert), None)
    looked.append(_rule(rule) if rule else f"{len(rules or ())} rules are loaded, none of this name")
    if rules is not None and rule is None:
        because = "the rule is not loaded any more"
    elif rule and rule.health == "err":
        because = f"the rule fails to evaluate: {rule.last_error}"
    elif rule and time.time() - rule.last_evaluation > 3 * rule.interval_seconds + 5:
        because = f"the rule's group {rule.group} is not evaluated any more"
    else:
        because = "the value was over the threshold when it was read, and the rule did not see it so"
    return stopped(Hop.PENDING, because, looked, "runbooks/alerts-not-firing.md")


async def not_firing(sight: Sight, alert: str, for_seconds: float) -> Stopped:
    """It was pending and has not fired."""
    looked: list[str] = []
    rules = await asked(sight.prometheus.rules(), looked)
    rule = next((rule for rule in rules or () if rule.name == alert), None)
    if rule is not None:
        looked.append(_rule(rule))
    if rule and rule.alerts:
        since = time.time() - min(one.active_at for one in rule.alerts)
        because = f"pending anew for {lasting(max(0.0, since))}: it did not hold for {lasting(for_seconds)}"
    else:
        because = f"it was pending and is so no more: it did not hold for {lasting(for_seconds)}"
    return stopped(Hop.FIRING, because, looked, "runbooks/alerts-not-firing.md")


async def not_held(sight: Sight, alert: str) -> Stopped:
    """It fires in Prometheus and Alertmanager does not hold it."""
    looked: list[str] = []
    urls = await asked(sight.prometheus.alertmanagers(), looked)
    sending = await asked(sight.prometheus.sending(), looked)
    if urls is not None:
        looked.append(f"Prometheus sends to: {', '.join(urls) or 'nobody'}")
    if sending is not None:
        looked.append(
            f"Prometheus counts {sum(sending.sent.values()):g} alerts sent, {sum(sending.errors.values()):g} "
            f"errors, {sending.dropped:g} dropped"
        )
    held = await asked(sight.alertmanager.alerts(), looked)
    if held is not None:
        looked.append(f"Alertmanager holds {len(held)} alerts, not {alert}")
    if urls == []:
        because = "Prometheus knows no Alertmanager to send to"
    elif sending and (sending.dropped or sum(sending.errors.values())):
        because = f"Prometheus cannot deliver to {', '.join(urls or sending.errors)}"
    else:
        because = f"Prometheus sends to {', '.join(urls or ())}, and this Alertmanager does not hold it"
    return stopped(Hop.ALERTMANAGER, because, looked, "runbooks/alerts-not-firing.md")


async def not_notified(sight: Sight, alert: Alert, targets: Sequence[Target]) -> Stopped:
    """Alertmanager holds it back, or its route ends at nobody."""
    looked = [f"Alertmanager calls it {alert.state}, for {', '.join(alert.receivers)}"]
    if alert.inhibited_by:
        others = await asked(sight.alertmanager.alerts(), looked) or []
        by = [one.labels.get("alertname", "") for one in others if one.fingerprint in alert.inhibited_by]
        because = f"inhibited by {', '.join(by) or 'another alert'}"
    elif alert.silenced_by:
        silences = await asked(sight.alertmanager.silences(), looked) or []
        told = [
            f"{one.get('createdBy', '')}: {one.get('comment', '')}"
            for one in silences
            if one.get("id") in alert.silenced_by
        ]
        because = f"silenced by {'; '.join(told) or ', '.join(alert.silenced_by)}"
    elif not targets:
        because = f"routed to nobody: {', '.join(alert.receivers)} notifies no one"
    else:
        because = f"held back: {', '.join(alert.muted_by) or 'muted by a time interval'}"
    return stopped(Hop.RECEIVER, because, looked, "runbooks/email-not-delivered.md")


async def asked(question: Awaitable[_T], looked: list[str]) -> _T | None:
    try:
        return await question
    except Unseen as error:
        looked.append(f"{error.where}: {error.message}" if error.where else error.message)
        return None


def stopped(hop: Hop, because: str, looked: list[str], remedy: str) -> Stopped:
    return Stopped(hop, because, outcome=Outcome.FAIL, looked_at=tuple(looked), remedy=remedy)


def _overdue(target: ScrapeTarget) -> bool:
    return time.time() - target.last_scrape > 2 * target.scrape_interval_seconds + 1


def _scrape(target: ScrapeTarget) -> str:
    ago = lasting(max(0.0, time.time() - target.last_scrape)) + " ago" if target.last_scrape else "never"
    error = f", {target.last_error}" if target.last_error else ""
    return f"the target {target.instance}: {target.health}, scraped {ago}{error}"


def _rule(rule: Rule) -> str:
    ago = lasting(max(0.0, time.time() - rule.last_evaluation))
    return f"the rule in {rule.group}: {rule.state}, {rule.health}, evaluated {ago} ago"
