"""What proposed rules would have changed: two back-tests of the same time, compared alert by alert."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence

from opsconsole.rehearse.backtest.labels import LabelSet
from opsconsole.rehearse.backtest.model import BackTest, Change, Episode


def changes(loaded: Sequence[BackTest], proposed: Sequence[BackTest], end: float) -> list[Change]:
    """One for each alert that either has, in the order of the proposed and then of the loaded. Of several
    rules of one name those with the same labels belong together, then those in the same place."""
    return [_change(name, before, after, end) for name, before, after in _pairs(loaded, proposed)]


def _pairs(
    loaded: Sequence[BackTest], proposed: Sequence[BackTest]
) -> Iterator[tuple[str, BackTest | None, BackTest | None]]:
    left: dict[str, list[BackTest]] = defaultdict(list)
    for before in loaded:
        left[before.rule.alert].append(before)
    pairs: list[tuple[BackTest | None, BackTest]] = []
    waiting: list[int] = []
    for place, after in enumerate(proposed):
        alike = [one for one in left[after.rule.alert] if one.rule.labels == after.rule.labels]
        pairs.append((alike[0] if alike else None, after))
        if alike:
            left[after.rule.alert].remove(alike[0])
        else:
            waiting.append(place)
    for place in waiting:
        after = pairs[place][1]
        if others := left[after.rule.alert]:
            pairs[place] = (others.pop(0), after)
    for before_or_none, after in pairs:
        yield after.rule.alert, before_or_none, after
    for before in loaded:
        if any(one is before for one in left[before.rule.alert]):
            yield before.rule.alert, before, None


def _change(name: str, before: BackTest | None, after: BackTest | None, end: float) -> Change:
    if before is None or after is None or before.error or after.error:
        return Change(name=name, before=before, after=after)
    horizon = min(_kept_until(before, end), _kept_until(after, end))
    names = _comparable(before, after)
    old, new = _by_series(before, names, horizon), _by_series(after, names, horizon)
    found: dict[str, list[Episode]] = {"new": [], "vanished": [], "longer": [], "shorter": []}
    tolerance = max(before.step_seconds, after.step_seconds)
    for series, episodes in old.items():
        for episode, others in _overlapping(episodes, new.get(series, []), end):
            lasted = sum(_seconds(one, end) for one in others) - _seconds(episode, end)
            if not others:
                found["vanished"].append(episode)
            elif abs(lasted) >= tolerance:
                found["longer" if lasted > 0 else "shorter"].append(episode)
    for series, episodes in new.items():
        pairs = _overlapping(episodes, old.get(series, []), end)
        found["new"] += [episode for episode, others in pairs if not others]
    ordered = {kind: tuple(sorted(some, key=_fired_at)) for kind, some in found.items()}
    return Change(name=name, before=before, after=after, **ordered)


def _kept_until(test: BackTest, end: float) -> float:
    """Up to when all its episodes are kept."""
    return end if test.fired == len(test.episodes) else max(map(_fired_at, test.episodes))


def _comparable(before: BackTest, after: BackTest) -> set[str]:
    """The labels that alerts of both have, without those that the rules give: a severity that changes makes
    no new episode, nor does a label that one of them sums away."""
    named = [
        {name for one in test.episodes for name in one.labels} for test in (before, after) if test.episodes
    ]
    common = set.intersection(*named) if named else set()
    return common - before.rule.labels.keys() - after.rule.labels.keys()


def _by_series(test: BackTest, names: set[str], horizon: float) -> dict[LabelSet, list[Episode]]:
    found: dict[LabelSet, list[Episode]] = defaultdict(list)
    for episode in test.episodes:
        if episode.firing_at <= horizon:
            series = sorted((name, text) for name, text in episode.labels.items() if name in names)
            found[tuple(series)].append(episode)
    return found


def _overlapping(
    episodes: Sequence[Episode], others: Sequence[Episode], end: float
) -> Iterator[tuple[Episode, list[Episode]]]:
    """Each with those of the others that it overlaps or touches; both are in the order of firing."""
    longest = max((_seconds(one, end) for one in others), default=0.0)
    for episode in episodes:
        first = bisect_left(others, episode.firing_at - longest, key=_fired_at)
        last = bisect_right(others, _until(episode, end), key=_fired_at)
        yield episode, [one for one in others[first:last] if _until(one, end) >= episode.firing_at]


def _fired_at(episode: Episode) -> float:
    return episode.firing_at


def _seconds(episode: Episode, end: float) -> float:
    return _until(episode, end) - episode.firing_at


def _until(episode: Episode, end: float) -> float:
    return end if episode.ended_at is None else episode.ended_at
