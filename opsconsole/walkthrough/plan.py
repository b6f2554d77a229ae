"""What testing each alert means, before anything is sent."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from opsconsole.checkkit import lasting
from opsconsole.clients.prometheus import Rule, Target
from opsconsole.clients.reference import ReferenceRule
from opsconsole.errors import Unseen, UsageError
from opsconsole.faults import Fault, named
from opsconsole.model import AlertPlan
from opsconsole.nearest import nearest
from opsconsole.walkthrough import obstacles
from opsconsole.walkthrough.band import Reading
from opsconsole.walkthrough.cost import gauge_of, with_cost
from opsconsole.walkthrough.gauge import Gauge
from opsconsole.walkthrough.onward import Onward, onward
from opsconsole.walkthrough.order import Turn, turns
from opsconsole.walkthrough.siblings import Judge, base, ceiling, companions, judges
from opsconsole.walkthrough.sight import Sight

_DELIVERY_SECONDS = 3.0
_DELIVERY_SCRAPES = 10
"""The cause is held after Alertmanager's group_wait for the shorter of both, to be there when it notifies."""


@dataclass(frozen=True)
class _Subject:
    """An alert that is planned for: the rules of its name, the fault that brings it about, what is read, and
    the alerts that go off with it."""

    alert: str
    judges: Sequence[Judge] = ()
    fault: Fault | None = None
    gauge: Gauge | None = None
    beside: Sequence[Judge] = ()

    @property
    def rules(self) -> list[Rule]:
        return [judge.rule for judge in self.judges]

    @property
    def concerned(self) -> list[Judge]:
        """Those whose way to people matters."""
        return [*self.judges[:1], *self.beside]


@dataclass(frozen=True)
class _World:
    """What the servers have told."""

    sight: Sight
    judges: Sequence[Judge]
    targets: Sequence[Target]
    ways: Mapping[str, Onward]

    @property
    def meant(self) -> Sequence[ReferenceRule]:
        return self.sight.reference.rules() if self.sight.reference else ()

    @property
    def scrape_seconds(self) -> float:
        return max((target.scrape_interval_seconds for target in self.targets), default=0.0)

    def way(self, alert: str) -> Onward:
        return self.ways.get(alert, Onward())


async def plans(sight: Sight, alerts: Sequence[str] = ()) -> list[AlertPlan]:
    """A plan for each of these alerts; without any for all that are loaded, in their order, and then for
    those of the checklist's [drills] that are not.

    Raises UsageError for an alert that is in neither, ConfigError for a fault that does not exist, and Unseen
    where Prometheus cannot be seen: then nothing can be planned.
    """
    job = sight.environment.service.job if sight.environment.service else None
    rules, targets = await asyncio.gather(sight.prometheus.rules(), sight.prometheus.targets(job))
    loaded = judges(rules)
    subjects = [_subject(sight, alert, loaded) for alert in _wanted(sight, loaded, alerts)]
    concerned = {judge.name: judge.rule for subject in subjects for judge in subject.concerned}
    reading = asyncio.gather(*(_read(sight, subject, job or "") for subject in subjects))
    ways, readings = await asyncio.gather(onward(sight, list(concerned.values())), reading)
    world = _World(sight, loaded, targets, ways)
    drafts = [_plan(world, *each) for each in zip(subjects, readings, strict=True)]
    after = turns(list(_turns(world, subjects, drafts)))
    return [replace(plan, after=after.get(plan.alert, ())) for plan in drafts]


def _wanted(sight: Sight, loaded: Sequence[Judge], alerts: Sequence[str]) -> list[str]:
    known = list(dict.fromkeys([*(judge.name for judge in loaded), *sight.drills]))
    for alert in alerts:
        if alert not in known:
            raise UsageError(
                f"no alert {alert!r}: Prometheus has no such rule loaded, and the checklist no such drill",
                hint=nearest(alert, known),
            )
    return list(dict.fromkeys(alerts)) or known


def _subject(sight: Sight, alert: str, loaded: Sequence[Judge]) -> _Subject:
    drill = sight.drills.get(alert, "")
    fault = named(drill, where=f"[drills] of the checklist, {alert}") if drill else None
    own = [judge for judge in loaded if judge.name == alert]
    if not own:
        return _Subject(alert, fault=fault)
    return _Subject(alert, own, fault, gauge_of(own[0], fault), companions(own[0], loaded))


async def _read(sight: Sight, subject: _Subject, job: str) -> Reading | Unseen | None:
    try:
        return await subject.gauge.read(sight.prometheus, job) if subject.gauge else None
    except Unseen as error:
        return error


def _plan(world: _World, subject: _Subject, read: Reading | Unseen | None) -> AlertPlan:
    environment, fault = world.sight.environment, subject.fault
    service = environment.service
    way = world.way(subject.alert)
    reading = read if isinstance(read, Reading) else None
    in_the_way = [
        *obstacles.of_rules(subject.rules),
        *(one for rule in subject.rules[:1] for one in obstacles.of_reference(rule, world.meant)),
        *(obstacles.of_targets(service.job, world.targets) if service else ()),
        *obstacles.of_fault(environment, subject.alert, fault),
        *obstacles.of_reading(subject.rules, read),
        *way.obstacles,
    ]
    plan = AlertPlan(
        alert=subject.alert,
        fault=fault.name if fault else "",
        sends=fault.sends(service) if fault and service and not fault.unavailable(service) else "",
        value=reading.value if reading else None,
        recipients=tuple(map(str, way.targets)),
        obstacles=obstacles.in_the_way(in_the_way),
    )
    if not subject.judges:
        return plan
    plan = _timed(_as_loaded(plan, subject.judges[0], world), subject, world)
    soon = way.soon(plan.hold_seconds + plan.resolved_seconds)
    plan = replace(plan, obstacles=obstacles.in_the_way([*plan.obstacles, *soon]))
    if plan.sends and fault and service:
        plan = with_cost(plan, fault, service, reading, world.scrape_seconds)
    return replace(plan, beside=tuple(_beside(plan, other, world) for other in subject.beside))


def _as_loaded(plan: AlertPlan, judge: Judge, world: _World) -> AlertPlan:
    rule, comparison = judge.rule, judge.comparison
    return replace(
        plan,
        group=rule.group,
        expr=rule.expr,
        for_seconds=rule.for_seconds,
        labels=rule.labels,
        left=comparison.left.strip() if comparison else "",
        op=comparison.op if comparison else "",
        threshold=comparison.threshold if comparison else None,
        ceiling=ceiling(judge, world.judges),
    )


def _timed(plan: AlertPlan, subject: _Subject, world: _World) -> AlertPlan:
    """A cause that is no more than silence is seen when the window is empty; one that is dosed at the next
    scrape, and for as long as the window after it has ended."""
    judge, way = subject.judges[0], world.way(subject.alert)
    counted = subject.fault is None or subject.fault.counted
    evaluated = world.scrape_seconds + judge.rule.interval_seconds
    pending = evaluated + (0.0 if counted else judge.window_seconds)
    firing = pending + plan.for_seconds
    notified = firing + way.group_wait_seconds
    lingers = (judge.window_seconds if counted else 0.0) + judge.rule.keep_firing_for_seconds
    return replace(
        plan,
        pending_seconds=pending,
        firing_seconds=firing,
        notified_seconds=notified,
        hold_seconds=notified + min(_DELIVERY_SECONDS, _DELIVERY_SCRAPES * world.scrape_seconds),
        resolved_seconds=lingers + evaluated + way.group_interval_seconds,
    )


def _beside(plan: AlertPlan, other: Judge, world: _World) -> str:
    """What becomes of an alert on the same left side, whose threshold is passed as well."""
    rule = other.rule
    after = f" after {lasting(rule.for_seconds)}" if rule.for_seconds else ""
    if rule.for_seconds > plan.hold_seconds + other.window_seconds:
        return f"{rule.name} goes pending too, and would fire{after}"
    fires = f"goes pending too and fires{after}" if after else "fires too"
    ours, theirs = world.way(plan.alert), world.way(rule.name)
    if ours.mutes(theirs):
        return f"{rule.name} {fires}; while {plan.alert} fires it is muted by inhibition"
    people = ", ".join(map(str, theirs.targets)) or "nobody"
    return f"{rule.name} {fires}, and notifies {people}"


def _turns(world: _World, subjects: Sequence[_Subject], drafts: Sequence[AlertPlan]) -> Iterator[Turn]:
    """The alerts that can be tested."""
    able = [s for s, plan in zip(subjects, drafts, strict=True) if s.fault and not plan.obstacles]
    for subject in able:
        way = world.way(subject.alert)
        moved = subject.fault.moves + subject.fault.passing_moves if subject.fault else ()
        yield Turn(
            alert=subject.alert,
            comparison=subject.judges[0].comparison,
            metrics=subject.judges[0].metrics | {base(one.metric) for one in moved},
            counted=subject.fault is not None and subject.fault.counted,
            mutes=frozenset(other.alert for other in able if way.mutes(world.way(other.alert))),
        )
