"""The steady state: an alert at rest and its way clear. Where it is not, nothing is brought about."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from opsconsole.checkkit import first_scrape, lasting, until
from opsconsole.clients.prometheus import Rule, Sending, Target
from opsconsole.errors import Unseen
from opsconsole.model import AlertPlan, Outcome, worst
from opsconsole.walkthrough.onward import onward
from opsconsole.walkthrough.sight import Sight
from opsconsole.walkthrough.tallies import Tally, tallies

_GRACE_SECONDS = 5.0
"""By which a busy server may be late with a scrape or an evaluation, beside two of its intervals."""

_LOOK_AGAIN_SECONDS = 5.0
"""The longest pause between two looks at counters of failures, where the next evaluation is not earlier."""


class Unsteady(Exception):
    """The alert is not at rest, or its way is not clear: FAIL where that was seen, UNKNOWN where it cannot be
    seen. `looked_at` is what was looked at, a line each."""

    def __init__(
        self, outcome: Outcome, because: str, looked_at: tuple[str, ...] = (), remedy: str = ""
    ) -> None:
        super().__init__(because)
        self.outcome, self.because = outcome, because
        self.looked_at, self.remedy = looked_at, remedy


async def steady(sight: Sight, plan: AlertPlan) -> str:
    """Look at the rule, at what is scraped for it, and at its way to people, all side by side, and twice at
    counters of failures. Returns what was seen in one line. Raises Unsteady."""
    try:
        rules = [rule for rule in await sight.prometheus.rules() if rule.name == plan.alert]
    except Unseen as error:
        raise _unknown(error) from error
    if not rules:
        raise Unsteady(Outcome.FAIL, "its rule is not loaded any more", remedy="reload the rule file")
    look = _Look(sight, plan, rules[0])
    told = await asyncio.gather(
        look.at_rest(), look.scraped(), look.not_held(), look.clear(), look.no_failures(),
        return_exceptions=True,
    )  # fmt: skip
    seen = [one for one in told if isinstance(one, str)]
    problems = [_as_unsteady(one) for one in told if isinstance(one, BaseException)]
    if problems:
        outcome = worst(problem.outcome for problem in problems)
        chosen = next(problem for problem in problems if problem.outcome is outcome)
        looked = (*(problem.because for problem in problems), *seen)
        raise Unsteady(outcome, chosen.because, looked, chosen.remedy) from chosen
    return "; ".join(one for one in seen if one)


def _as_unsteady(error: BaseException) -> Unsteady:
    if isinstance(error, Unseen):
        return _unknown(error)
    if isinstance(error, Unsteady):
        return error
    raise error


def _unknown(error: Unseen) -> Unsteady:
    where = f"{error.where}: " if error.where else ""
    return Unsteady(Outcome.UNKNOWN, f"{where}{error.message}", remedy=error.hint)


def _failed(because: str, remedy: str = "") -> Unsteady:
    return Unsteady(Outcome.FAIL, because, remedy=remedy)


@dataclass
class _Look:
    """Each method looks at one thing, and returns what it saw or raises Unsteady."""

    sight: Sight
    plan: AlertPlan
    rule: Rule

    async def at_rest(self) -> str:
        """The rule is inactive, healthy and evaluated."""
        within = 2 * self.rule.interval_seconds
        since = await self.sight.prometheus.now() - within

        async def fresh() -> bool:
            self.rule = await self._rule_now()
            return self.rule.last_evaluation >= since

        in_time = await until(
            fresh, within_seconds=within + _GRACE_SECONDS, what=f"{self.plan.alert} to be evaluated"
        )
        ago = lasting(max(0.0, await self.sight.prometheus.now() - self.rule.last_evaluation))
        if self.rule.health == "err":
            raise _failed(f"its rule fails to evaluate: {self.rule.last_error}")
        if not in_time:
            interval = lasting(self.rule.interval_seconds)
            raise _failed(f"its rule was last evaluated {ago} ago, and should be every {interval}")
        if self.rule.alerts:
            first = min(self.rule.alerts, key=lambda alert: (alert.state != "firing", alert.active_at))
            raise _failed(
                f"{self.plan.alert} is {first.state} already, active since {_clock(first.active_at)}",
                "follow its runbook page first; test it when it has resolved",
            )
        return f"inactive, evaluated {ago} ago"

    async def scraped(self) -> str:
        """Every target of the service's job is up, and its scrape fresh."""
        service = self.sight.environment.service
        if service is None:
            return ""
        targets = await first_scrape(self.sight.prometheus, service.job)
        if not targets:
            raise _failed(f"Prometheus has no target of the job {service.job}", "look at its scrape_configs")
        within = 2 * max(target.scrape_interval_seconds for target in targets)
        since = await self.sight.prometheus.now() - within

        async def fresh() -> bool:
            nonlocal targets
            targets = await self.sight.prometheus.targets(service.job)
            return all(target.health == "up" and target.last_scrape >= since for target in targets)

        what = f"a fresh scrape of {service.job}"
        in_time = await until(fresh, within_seconds=within + _GRACE_SECONDS, what=what)
        now = await self.sight.prometheus.now()
        if not in_time or not targets:
            raise _failed(_unscraped(service.job, targets, now), "runbooks/target_is_up.md")
        ago = lasting(max(0.0, now - min(target.last_scrape for target in targets)))
        return f"{len(targets)} of {len(targets)} targets up, scraped {ago} ago"

    async def not_held(self) -> str:
        """Alertmanager holds no alert of this name, from wherever."""
        name = json.dumps(self.plan.alert, ensure_ascii=False)
        held = await self.sight.alertmanager.alerts(f"alertname={name}")
        if held:
            since = _clock(min(alert.starts_at for alert in held))
            raise _failed(f"Alertmanager holds {self.plan.alert} already ({held[0].state}), since {since}")
        return "Alertmanager holds none of it"

    async def clear(self) -> str:
        """Nothing is in its way to people."""
        way = (await onward(self.sight, [self.rule]))[self.plan.alert]
        if way.obstacles:
            outcome = worst(obstacle.outcome for obstacle in way.obstacles)
            first = next(obstacle for obstacle in way.obstacles if obstacle.outcome is outcome)
            raise Unsteady(outcome, first.summary, remedy=first.remedy)
        return f"the way to {', '.join(map(str, way.targets))} is clear"

    async def no_failures(self) -> str:
        """Neither Prometheus nor Alertmanager fails to pass alerts on now; what failed before is told."""
        kinds = {recipient.partition(" ")[0] for recipient in self.plan.recipients}
        sending, before = await asyncio.gather(self._sending(), tallies(self.sight))
        await self._another_evaluation()
        sending_now, after = await asyncio.gather(self._sending(), tallies(self.sight))
        if sending and sending_now and _vain(sending_now) > _vain(sending):
            more = _vain(sending_now) - _vain(sending)
            raise _failed(f"Prometheus fails just now to hand alerts over: {more:g} more errors", _ITS_LOG)
        for kind in sorted(kinds):
            more = after.get(kind, Tally()).failed - before.get(kind, Tally()).failed
            if more > 0:
                raise _failed(f"notifications by {kind} fail just now: {more:g} more tries in vain", _ITS_LOG)
        past = {kind: tally.failed for kind, tally in after.items() if kind in kinds and tally.failed}
        told = ", ".join(f"{failed:g} by {kind}" for kind, failed in sorted(past.items()))
        return "no failures just now" + (f" (earlier tries in vain: {told})" if told else "")

    async def _rule_now(self) -> Rule:
        rules = [rule for rule in await self.sight.prometheus.rules() if rule.name == self.plan.alert]
        if not rules:
            raise _failed("its rule is not loaded any more", "reload the rule file")
        return rules[0]

    async def _another_evaluation(self) -> None:
        first = self.rule.last_evaluation

        async def later() -> bool:
            return (await self._rule_now()).last_evaluation > first

        what = "a second look at counters of failures"
        await until(later, within_seconds=_LOOK_AGAIN_SECONDS, what=what)

    async def _sending(self) -> Sending | None:
        """None where Prometheus' own metrics cannot be seen: the signal itself will tell."""
        with suppress(Unseen):
            return await self.sight.prometheus.sending()
        return None


_ITS_LOG = "its log says why"


def _unscraped(job: str, targets: list[Target], now: float) -> str:
    if not targets:
        return f"Prometheus has no target of the job {job} any more"
    for target in targets:
        if target.health != "up":
            return (
                f"the target {target.instance} is {target.health}: {target.last_error or 'not scraped yet'}"
            )
    oldest = min(targets, key=lambda target: target.last_scrape)
    return (
        f"the target {oldest.instance} was last scraped {lasting(max(0.0, now - oldest.last_scrape))} ago, "
        f"and should be every {lasting(oldest.scrape_interval_seconds)}"
    )


def _vain(sending: Sending) -> float:
    return sum(sending.errors.values()) + sending.dropped


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%F %T} UTC"
