"""How long ago that was what rules judge: `rule_query_offset` of the server, `query_offset` of a group."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice

from opsconsole.checkkit import lasting, until
from opsconsole.clients.drift import pairs
from opsconsole.clients.evaluation import seldom
from opsconsole.clients.prometheus import Loading, Prometheus, Rule
from opsconsole.clients.reference import ReferenceRule
from opsconsole.model import Finding, Seen

_LONGEST_SECONDS = 300.0
"""What is pushed or federated comes a minute or two late; nobody waits longer without saying so."""

_BUSY_SECONDS = 30.0
_MOST_WITNESSES = 5


async def judged_late(
    prometheus: Prometheus, wanted: Sequence[ReferenceRule], loaded: Sequence[Rule], loading: Loading | None
) -> AsyncIterator[Finding | Seen]:
    """Whether the rules that are meant judge the present, or what was long ago. No answer of Prometheus holds
    the offset of a group: it shows in the times for which the group writes what it records, and the alerts
    that are under way. `loading` is None where the server does not tell. Raises Unseen."""
    usual = loading.query_offset_seconds if loading else None
    if usual and any(rule.query_offset_seconds is None for rule in wanted):
        yield _of_server(usual)
    stated = any(rule.query_offset_seconds is not None for rule in wanted)
    untold = []
    for rule, meant in _groups(wanted, loaded, usual):
        late = await _late_seconds(prometheus, rule, loaded, meant)
        if late is None:
            untold.append(rule.group)
        elif late > _most(rule, meant):
            yield _of_group(rule, late, meant)
    if untold:
        words = "was not looked at: it shows only where the group writes samples"
        which = f"the query_offset of {', '.join(untold)} {words}"
        yield Seen(which, subject="" if stated else "groups")  # with a subject it is in the evidence alone


def _of_server(seconds: float) -> Finding | Seen:
    late = lasting(seconds)
    if seconds <= _LONGEST_SECONDS:
        return Seen(f"rules judge what was {late} ago, by rule_query_offset: alerts come so much later")
    return Finding(
        summary=f"rules judge what was {late} ago: rule_query_offset of Prometheus is {late}, "
        "and every alert comes so much later",
        remedy="a minute or two are enough for samples that come late; where so much is meant for a group, "
        "name it as its query_offset in the reference",
    )


def _of_group(rule: Rule, late: float, meant: float) -> Finding:
    return Finding(
        subject=f"group {rule.group}",
        summary=f"judges what was {lasting(late)} ago, by a query_offset: its alerts come so much later",
        detail=f"{rule.file}; by the reference "
        + (f"it is {lasting(meant)}" if meant else "there is no query_offset"),
        remedy="correct the query_offset of the group, or the reference",
    )


def _groups(
    wanted: Sequence[ReferenceRule], loaded: Sequence[Rule], usual: float | None
) -> Iterator[tuple[Rule, float]]:
    """One rule of each group that runs what is meant, and the offset that it should have; without those for
    which nothing tells it."""
    seen = set()
    for rule, running in pairs(wanted, loaded)[0]:
        meant = usual if rule.query_offset_seconds is None else rule.query_offset_seconds
        if running and meant is not None and (running.file, running.group) not in seen:
            seen.add((running.file, running.group))
            yield running, meant


def _written(rule: Rule, loaded: Sequence[Rule]) -> Iterator[str]:
    """Selectors of what this rule's group alone writes at every evaluation."""
    times = Counter((one.kind, one.name) for one in loaded)
    for one in loaded:
        own = (one.file, one.group) == (rule.file, rule.group) and times[one.kind, one.name] == 1
        if own and one.health == "ok" and one.kind == "recording":
            yield f'{{__name__="{one.name}"}}'
        elif own and one.health == "ok" and one.alerts:
            yield f'ALERTS{{alertname="{one.name}"}}'


async def _late_seconds(
    prometheus: Prometheus, rule: Rule, loaded: Sequence[Rule], meant: float
) -> float | None:
    """How long before its evaluations that is for which the group of this rule writes samples, None where
    that cannot be told. Where it seems longer than what is meant, it is looked at until it writes once more:
    what is written no longer is late too."""
    found = None
    for written in islice(_written(rule, loaded), _MOST_WITNESSES):
        step = max(1.0, rule.interval_seconds / 2)
        past = f"max(max_over_time(timestamp({written})[2h:{round(1000 * step)}ms]))"
        newest = f"max(timestamp({written})) or {past}"
        for sample in await prometheus.query(newest):
            if rule.last_evaluation - sample.value <= _most(rule, meant):
                return rule.last_evaluation - sample.value
            ended = sample.value + 1.5 * rule.interval_seconds
            if found is None and await prometheus.query(written, at=ended):  # else it has a stale marker
                found = newest, sample.value
    if found is None or seldom(rule):
        return None
    newest, before = found

    async def evaluated() -> list[float]:
        return [one.last_evaluation for one in await prometheus.rules() if _same(one, rule)]

    async def again() -> float | None:
        at = await evaluated()
        later = [one.value for one in await prometheus.query(newest) if one.value > before]
        between = later and await evaluated() != at  # then it may be of either evaluation
        return at[0] - later[0] if at and later and not between else None

    within = 1.5 * rule.interval_seconds + _BUSY_SECONDS
    return await until(again, within_seconds=within, what=f"the group {rule.group} to write once more")


def _most(rule: Rule, meant: float) -> float:
    return meant + rule.group_seconds + _BUSY_SECONDS


def _same(one: Rule, rule: Rule) -> bool:
    return (one.file, one.group, one.kind, one.name) == (rule.file, rule.group, rule.kind, rule.name)
