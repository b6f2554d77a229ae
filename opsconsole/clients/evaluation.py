"""Whether rules are evaluated: without an error, in time, and as often as what they look at needs it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

import promql_parser as p

from opsconsole import promql
from opsconsole.checkkit import lasting, until
from opsconsole.clients.prometheus import Prometheus, Rule
from opsconsole.clients.wire import seconds
from opsconsole.errors import Unseen
from opsconsole.model import Finding
from opsconsole.promql.trees import children, walk

_LOOK_BACK_SECONDS = 300.0
"""How long a sample counts as the present one where Prometheus was told nothing else."""

_FADES_AFTER_SECONDS = 60.0
"""Nobody sets a shorter look-back than this; a longer interval is held against the server's own."""

_BUSY_SECONDS = 1.0
"""What a busy machine may be late by."""

_LONGEST_WAIT_SECONDS = 120.0
"""For an evaluation; that of a group with a longer interval is not waited for."""

_GROWTH = ("rate", "increase")
_OF_TWO = (*_GROWTH, "irate", "delta", "idelta", "deriv", "predict_linear")
"""Functions that have no value where their range holds fewer than two samples."""


def seldom(rule: Rule) -> bool:
    """Whether its evaluation is not waited for."""
    return rule.interval_seconds > _LONGEST_WAIT_SECONDS


async def first_evaluation(prometheus: Prometheus, names: set[str]) -> list[Rule]:
    """All rules, when the alerts named and what they rest on have been evaluated, or when it has taken too
    long."""
    loaded: list[Rule] = []

    async def evaluated() -> bool:
        loaded[:] = await prometheus.rules()
        meant = [rule for rule in loaded if rule.kind == "alerting" and rule.name in names]
        awaited = [rule for rule in (*meant, *resting(meant, loaded)) if not seldom(rule)]
        return all(rule.last_evaluation > 0 for rule in awaited)

    _, settling = await asyncio.gather(evaluated(), prometheus.settling_seconds())
    interval = max((rule.interval_seconds for rule in loaded), default=0.0)
    within = min(_LONGEST_WAIT_SECONDS, max(2 * interval, settling))
    await until(evaluated, within_seconds=within, what="the first evaluation of the rules")
    return loaded


async def ill_evaluated(
    prometheus: Prometheus, rules: Sequence[Rule], loaded: Sequence[Rule], now: float
) -> AsyncIterator[Finding]:
    """What is wrong with the evaluation of these alerting rules, and of the recording rules among those
    `loaded` that they rest on. One to come that is not waited for is not wrong. Raises Unseen."""
    below = resting(rules, loaded)
    for rule in rules:
        if words := _unwell(rule, now):
            yield Finding(subject=rule.name, summary=words)
        if finding := _overlooks(rule) or await _fades(prometheus, rule, below):
            yield finding
    for rule in below:
        if words := _unwell(rule, now):
            above = dict.fromkeys(each.name for each in rules if rule in resting([each], loaded))
            detail = f"without it cannot fire: {', '.join(above)}"
            yield Finding(subject=rule.name, summary=f"the recording rule {words}", detail=detail)
    for finding in await too_slow(prometheus, [*rules, *below]):
        yield finding
    for rule in rules:
        if rule.health != "err" and (finding := await _collides(prometheus, rule)):
            yield finding


def resting(rules: Iterable[Rule], loaded: Iterable[Rule]) -> list[Rule]:
    """The recording rules among those loaded that these rules read, directly or through others."""
    recorded: dict[str, list[Rule]] = {}
    for rule in loaded:
        if rule.kind == "recording":
            recorded.setdefault(rule.name, []).append(rule)
    found: list[Rule] = []
    left = list(rules) if recorded else []
    while left:
        for name in {one.metric or "" for one in promql.selectors(promql.parse(left.pop().expr))}:
            left.extend(rule for rule in recorded.get(name, ()) if rule not in found)
            found.extend(rule for rule in recorded.get(name, ()) if rule not in found)
    return found


def _unwell(rule: Rule, now: float) -> str:
    """In words what is wrong with the rule's last evaluation; empty where nothing is, and where it is one to
    come that is not waited for."""
    late = now - rule.last_evaluation > 2 * max(rule.interval_seconds, rule.group_seconds) + _BUSY_SECONDS
    if rule.health == "err":
        return f"fails to evaluate: {rule.last_error}"
    if rule.last_evaluation <= 0:
        return "" if seldom(rule) else "has never been evaluated"
    if late:
        every = lasting(rule.interval_seconds)
        return f"was evaluated {lasting(now - rule.last_evaluation)} ago, though it should be every {every}"
    return ""


async def too_slow(prometheus: Prometheus, rules: Sequence[Rule]) -> list[Finding]:
    """Of the groups of these rules those whose evaluation takes longer than their interval: once is a busy
    moment, so a second evaluation is waited for where that is not long."""
    slow = _slow(rules)
    if not slow:
        return []
    fresh: list[Rule] = []

    async def again() -> bool:
        fresh[:] = [rule for rule in await prometheus.rules() if _group(rule) in slow]
        return all(rule.last_evaluation > slow[_group(rule)][-1].last_evaluation for rule in fresh)

    longest = max(4 * group[0].group_seconds for group in slow.values()) + _BUSY_SECONDS
    within = min(_LONGEST_WAIT_SECONDS, longest)
    await until(again, within_seconds=within, what="one more evaluation of a slow group of rules")
    return [_slowness(group) for group in _slow(fresh).values()]


def _slow(rules: Iterable[Rule]) -> dict[tuple[str, str], list[Rule]]:
    groups: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        if rule.group_seconds > rule.interval_seconds:
            groups.setdefault(_group(rule), []).append(rule)
    return groups


def _group(rule: Rule) -> tuple[str, str]:
    return rule.file, rule.group


def _slowness(group: Sequence[Rule]) -> Finding:
    one, slowest = group[0], max(group, key=lambda rule: rule.evaluation_seconds)
    return Finding(
        subject=f"group {one.group}",
        summary=f"takes {lasting(one.group_seconds)} to evaluate and should be evaluated every "
        f"{lasting(one.interval_seconds)}: evaluations are left out, and its alerts are late",
        detail=f"{slowest.name} alone takes {lasting(slowest.evaluation_seconds)}: {slowest.expr}",
        remedy="a cheaper expression, a recording rule for a part of it, or a longer interval",
    )


def _overlooks(rule: Rule) -> Finding | None:
    """Whether it looks at a counter's growth over a shorter time than passes between two evaluations."""
    reach = max(_reaches(promql.parse(rule.expr), 0.0), default=0.0)
    if not 0 < reach < rule.interval_seconds:
        return None
    every = lasting(rule.interval_seconds)
    return Finding(
        subject=rule.name,
        summary=f"is evaluated every {every}, and looks back {lasting(reach)}: what is between is not seen",
        detail=rule.expr,
        remedy=f"evaluate its group {rule.group} at least every {lasting(reach)}",
    )


def holds_one_scrape(
    rules: Sequence[Rule], loaded: Sequence[Rule], scraped_every: Callable[[str], float | None]
) -> Iterator[Finding]:
    """Of these rules, and the recording rules among those `loaded` that they rest on, those that look at a
    change over no more than the time between two scrapes. `scraped_every` tells that time, in seconds, of a
    metric."""
    for rule in [*rules, *resting(rules, loaded)]:
        for looked_at in _changes(promql.parse(rule.expr)):
            every, reach = scraped_every(looked_at.metric or ""), looked_at.range_seconds or 0.0
            if every and reach <= every:
                yield Finding(
                    subject=rule.name,
                    summary=f"looks back {lasting(reach)} at {looked_at.metric}, which is scraped every "
                    f"{lasting(every)}: there are hardly ever two samples, and without them no value",
                    detail=rule.expr,
                    remedy=f"a range of {lasting(4 * every)} or more, so that one scrape may fail",
                )
                break


def _changes(tree: p.Expr) -> Iterator[promql.Selector]:
    """What the expression looks at with functions that need two samples."""
    for node in walk(tree):
        match node:
            case p.Call() if node.func.name in _OF_TWO and isinstance(node.args[0], p.MatrixSelector):
                yield promql.selectors(node.args[0])[0]


def _reaches(tree: p.Expr, outside_seconds: float) -> Iterator[float]:
    """How far back the expression looks at the growth of counters, at each place where it does."""
    match tree:
        case p.Call() if tree.func.name in _GROWTH and isinstance(tree.args[0], p.MatrixSelector):
            yield outside_seconds + tree.args[0].range.total_seconds()
        case p.SubqueryExpr() if tree.range is not None:
            yield from _reaches(tree.expr, outside_seconds + tree.range.total_seconds())
        case _:
            for child in children(tree):
                yield from _reaches(child, outside_seconds)


async def _fades(prometheus: Prometheus, rule: Rule, recorded: Iterable[Rule]) -> Finding | None:
    """Whether it reads the present value of what is recorded so seldom that most of the time there is
    none."""
    read = set(_present(promql.parse(rule.expr)))
    found = [one for one in recorded if one.name in read and one.interval_seconds > _FADES_AFTER_SECONDS]
    if not found:
        return None
    kept = await _look_back_seconds(prometheus)
    every = {one.name: min(each.interval_seconds for each in found if each.name == one.name) for one in found}
    for name, interval_seconds in every.items():
        if interval_seconds > kept:
            return Finding(
                subject=rule.name,
                summary=f"rests on {name}, which is recorded every {lasting(interval_seconds)} and is there "
                f"for {lasting(kept)} after that: the alert is blind for the rest",
                detail=rule.expr,
                remedy=f"record {name} at least every {lasting(kept / 2)}",
            )
    return None


def _present(tree: p.Expr) -> Iterator[str]:
    """The metrics whose present value is read."""
    match tree:
        case p.VectorSelector():
            yield promql.selectors(tree)[0].metric or ""
        case p.MatrixSelector() | p.SubqueryExpr():
            return
        case _:
            for child in children(tree):
                yield from _present(child)


async def _collides(prometheus: Prometheus, rule: Rule) -> Finding | None:
    """Whether series that it judges now would become one alert, which Prometheus refuses."""
    comparison = promql.comparison(promql.parse(rule.expr))
    labels = {name: value for name, value in rule.labels.items() if "{{" not in value}
    if comparison is None or not labels or "right of and" in comparison.side:
        return None  # the labels of an alert are those of the left side
    seen: dict[frozenset[tuple[str, str]], dict[str, str]] = {}
    for sample in await prometheus.query(comparison.left):
        own = {name: value for name, value in sample.labels.items() if name != "__name__"}
        other = seen.setdefault(frozenset({**own, **labels}.items()), own)
        lost = sorted(name for name in own if own[name] != other.get(name))
        if lost:
            return Finding(
                subject=rule.name,
                summary=f"its own label {', '.join(lost)} makes different alerts one and the same: where two "
                "are due at a time, the rule fails, and none fires",
                detail=f"{own} and {other}",
                remedy="give the label another name, or sum the series by the others",
            )
    return None


async def _look_back_seconds(prometheus: Prometheus) -> float:
    try:
        return seconds((await prometheus.flags())["query.lookback-delta"])
    except (Unseen, KeyError, ValueError):
        return _LOOK_BACK_SECONDS
