"""How well a back-test agrees with the ALERTS that the server itself has recorded.

Alerts of one name are compared together, label set by label set: nothing in ALERTS tells which of several
rules of a name they come from. What a server has no ALERTS of did not fire, or was not loaded: so they are
compared from when it is known to have been.
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress

from opsconsole.clients.prometheus import Prometheus
from opsconsole.clients.ranges import Points, stretches
from opsconsole.errors import Nonsense, TimedOut, Unseen
from opsconsole.rehearse.backtest import spans
from opsconsole.rehearse.backtest.fold import Fold, Seen, Spell
from opsconsole.rehearse.backtest.labels import Labelling, LabelSet
from opsconsole.rehearse.backtest.model import Agreement, BackTest, Span
from opsconsole.rehearse.backtest.tally import MOST_EPISODES
from opsconsole.rehearse.model import Rule

_MOST_NAMED = 50
_GROUPS = "prometheus_rule_group_rules"
_GROUPS_STEP_MILLISECONDS = 1_800_000

Firing = Mapping[LabelSet, Sequence[Span]]
Evidence = tuple[float, str]
"""Since when a rule is known to be evaluated, and what tells so."""


class Loaded:
    """Since when the server is known to have had a rule group: by the metrics that it has of itself, and by
    when it read its configuration last."""

    def __init__(self, groups: Mapping[str, float], config_time: float | None) -> None:
        self._groups = groups
        self._config_time = config_time

    def since(self, rule: Rule) -> Evidence | None:
        """The earliest that is known, None where nothing is."""
        exact = self._groups.get(f"{rule.file};{rule.group}")
        alike = [at for group, at in self._groups.items() if group.endswith(f";{rule.group}")]
        known = []
        if exact is not None or alike:
            known.append((exact if exact is not None else max(alike), _GROUPS))
        if self._config_time is not None:
            known.append((self._config_time, "the age of its configuration"))
        return min(known, default=None)


class Recorded:
    """What the server's ALERTS say of one name. `first` is the first of them, pending or firing."""

    def __init__(self, unknown: frozenset[str], end: float) -> None:
        self.first: float | None = None
        self.count = 0
        self._not_compared = {"__name__", "alertname", "alertstate", *unknown}
        self._end = end
        self._fold = Fold(0)
        self._firing: dict[LabelSet, list[Span]] = defaultdict(list)

    def take(self, ticks: range, series: Sequence[Points]) -> None:
        """The next stretch of its ALERTS, whatever their state."""
        if self.first is None and series:
            self.first = min(one.ticks[0] for one in series) / 1000
        firing = [one for one in series if one.labels.get("alertstate") == "firing"]
        seen = [Seen(tuple(sorted(one.labels.items())), one.ticks, one.values) for one in firing]
        for spell in self._fold.feed(ticks, seen):
            self._add(spell)

    def firing(self) -> Firing:
        """When each alert fired, after the last stretch."""
        for spell in self._fold.ongoing():
            self._add(spell)
        return {labels: spans.joined(some) for labels, some in self._firing.items()}

    def _add(self, spell: Spell) -> None:
        self.count += 1
        if self.count <= MOST_EPISODES:
            labels = tuple(pair for pair in spell.key if pair[0] not in self._not_compared)
            last = self._end if spell.ended is None else spell.ended / 1000
            self._firing[labels].append((spell.pending / 1000, last))


async def agree(prometheus: Prometheus, tests: Sequence[tuple[BackTest, range]]) -> list[Agreement]:
    """The agreement of each name among these back-tests, each with its evaluations (unix milliseconds). What
    cannot be seen is told in the agreement's `evidence`."""
    by_name: dict[str, list[BackTest]] = defaultdict(list)
    grids: dict[str, range] = {}
    for test, grid in tests:
        if not test.error:
            by_name[test.rule.alert].append(test)
            grids.setdefault(test.rule.alert, grid)
    if not by_name:
        return []
    loaded = await _loaded(prometheus, max(grids.values(), key=len))
    found: dict[str, Agreement] = {}
    for grid in dict.fromkeys(grids.values()):
        mine = {name: some for name, some in by_name.items() if grids[name] == grid}
        recorded = await _recorded(prometheus, mine, grid)
        span = grid[0] / 1000, grid[-1] / 1000
        found |= {name: _compared(name, some, recorded[name], loaded, span) for name, some in mine.items()}
    return [found[name] for name in by_name]


async def _recorded(
    prometheus: Prometheus, tests: Mapping[str, Sequence[BackTest]], grid: range
) -> dict[str, Recorded | str]:
    """By name; a text says why there is none."""
    found = {
        name: Recorded(frozenset().union(*(Labelling(one.rule).unknown for one in some)), grid[-1] / 1000)
        for name, some in tests.items()
    }
    names = json.dumps("|".join(map(re.escape, found)), ensure_ascii=False)
    wanted = f"ALERTS{{alertname=~{names}}}" if len(found) <= _MOST_NAMED else "ALERTS"
    try:
        async for stretch in stretches(prometheus, wanted, grid):
            by_name: dict[str, list[Points]] = defaultdict(list)
            for one in stretch.series:
                by_name[one.labels.get("alertname", "")].append(one)
            for name, recorded in found.items():
                recorded.take(stretch.ticks, by_name.get(name, ()))
    except (TimedOut, Nonsense) as error:
        return dict.fromkeys(found, f"its ALERTS cannot be read: {error.message}")
    return dict(found)


async def _loaded(prometheus: Prometheus, grid: range) -> Loaded:
    groups: dict[str, float] = {}
    config_time = None
    with suppress(Unseen):
        config_time = (await prometheus.runtime()).config_time
    coarse = range(grid[0], grid[-1] + 1, max(grid.step, _GROUPS_STEP_MILLISECONDS))
    with suppress(TimedOut, Nonsense):
        async for stretch in stretches(prometheus, f"max by (rule_group) ({_GROUPS})", coarse):
            for one in stretch.series:
                groups.setdefault(one.labels.get("rule_group", ""), one.ticks[0] / 1000)
    return Loaded(groups, config_time)


def _compared(
    name: str, tests: Sequence[BackTest], recorded: Recorded | str, loaded: Loaded, span: Span
) -> Agreement:
    if isinstance(recorded, str):
        return Agreement(name=name, since=None, evidence=recorded)
    if recorded.count > MOST_EPISODES or any(test.fired > MOST_EPISODES for test in tests):
        return Agreement(name=name, since=None, evidence="too many episodes to compare")
    start, end = span
    ours, theirs = _by_labels(tests, end), recorded.firing()
    known = _since(tests, recorded, loaded)
    if known is None:
        evidence = "the server has no ALERTS of it, and does not tell since when it is loaded"
        return Agreement(name=name, since=None, evidence=evidence, seconds_before=_sum(ours, start, end))
    since = known[0]
    if since > start:  # what became loaded then has begun to wait for its `for` then
        since = min(end, since + max(test.rule.for_seconds for test in tests))
    since = max(since, start)
    both = sum(
        spans.common_seconds(spans.cut(ours[labels], since, end), spans.cut(theirs[labels], since, end))
        for labels in ours.keys() & theirs.keys()
    )
    return Agreement(
        name=name,
        since=since,
        evidence=known[1],
        seconds_compared=end - since,
        seconds_both=both,
        seconds_only_backtest=_sum(ours, since, end) - both,
        seconds_only_server=_sum(theirs, since, end) - both,
        seconds_before=_sum(ours, start, since),
    )


def _since(tests: Sequence[BackTest], recorded: Recorded, loaded: Loaded) -> Evidence | None:
    """Since when all of them are known to be evaluated, or any by the first of its ALERTS."""
    each = [loaded.since(test.rule) for test in tests]
    known = [one for one in each if one is not None]
    found = [max(known)] if len(known) == len(each) else []
    if recorded.first is not None:
        found.append((recorded.first, "the first of its ALERTS"))
    return min(found, default=None)


def _by_labels(tests: Sequence[BackTest], end: float) -> Firing:
    loose: dict[LabelSet, list[Span]] = defaultdict(list)
    unknown = frozenset().union(*(Labelling(test.rule).unknown for test in tests))
    for episode in (episode for test in tests for episode in test.episodes):
        labels = tuple(sorted(pair for pair in episode.labels.items() if pair[0] not in unknown))
        loose[labels].append((episode.firing_at, end if episode.ended_at is None else episode.ended_at))
    return {labels: spans.joined(some) for labels, some in loose.items()}


def _sum(firing: Firing, start: float, end: float) -> float:
    return sum(spans.seconds(spans.cut(some, start, end)) for some in firing.values())
