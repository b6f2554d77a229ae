"""What it takes to bring an alert about: what is read for it, and how many requests it will need."""

import math
from contextlib import suppress
from dataclasses import replace

from opsconsole.config import Service
from opsconsole.errors import Nonsense
from opsconsole.faults import Fault
from opsconsole.model import AlertPlan
from opsconsole.walkthrough import obstacles
from opsconsole.walkthrough.band import CannotHold, Goal, Reading
from opsconsole.walkthrough.gauge import CannotDrive, Gauge
from opsconsole.walkthrough.loop import forecast
from opsconsole.walkthrough.siblings import Judge


def gauge_of(judge: Judge, fault: Fault | None) -> Gauge | None:
    """What is read for a rule while this fault is there: its left side alone where the fault cannot be driven
    by it, and nothing for a rule that compares nothing with a number."""
    if fault is not None:
        with suppress(CannotDrive, Nonsense):
            return Gauge.of(judge.rule.expr, fault)
    return Gauge(judge.comparison, judge.window_seconds) if judge.comparison else None


def goal_of(plan: AlertPlan, gauge: Gauge, fault: Fault, service: Service, scrape_seconds: float) -> Goal:
    """What the closed loop has to hold for this plan. Raises CannotDrive."""
    ceiling = math.inf
    if plan.ceiling is not None:
        ceiling = Gauge.of(f"{plan.left} {plan.op} {plan.ceiling!r}", fault).share
    goal = gauge.goal(fault, scrape_seconds=scrape_seconds, ceiling=ceiling)
    return replace(goal, dilutes=goal.dilutes and fault.dilutes(service))


def with_cost(
    plan: AlertPlan, fault: Fault, service: Service, reading: Reading | None, scrape_seconds: float
) -> AlertPlan:
    """The plan with the requests that it will take, or with why they cannot bring the alert about."""
    if reading is None or not fault.counted:
        return plan
    try:
        goal = goal_of(plan, Gauge.of(plan.expr, fault), fault, service, scrape_seconds)
        told = forecast(goal, reading, plan.hold_seconds)
    except (CannotDrive, CannotHold) as error:
        obstacle = obstacles.only_watched(plan.alert, error.message)
        return replace(plan, obstacles=obstacles.in_the_way([*plan.obstacles, obstacle]))
    return replace(
        plan,
        first=told.first,
        per_second=told.per_second,
        requests=told.requests,
        fewest=told.fewest,
        objects=told.passing if fault.leaves_objects else 0,
    )
