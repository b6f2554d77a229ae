"""A back-test for people: when each alert would have fired, in plain characters, and what would have changed.

Times are local. `as_json` has the same as data, in unix seconds and seconds.
"""

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from opsconsole.rehearse.backtest import Agreement, BackTest, BackTests, Change, Episode
from opsconsole.reports.rehearsal.bars import Bar
from opsconsole.reports.trace import lasting, number
from opsconsole.reports.wording import duration, one_line

EPISODES_SHOWN = 5
_LONGEST_NAME = 40
_LOADED, _PROPOSED = "    loaded", "    proposed"


def lines(
    backtests: BackTests, width: int = 100, *, ascii: bool = False, episodes: int = EPISODES_SHOWN
) -> list[str]:
    """The back-test in lines of `width` characters where that can be: a line an alert with a bar of the whole
    time, the first `episodes` of each, what would have changed, and how well the server's own ALERTS agree.
    With `ascii` the bars need no Unicode."""
    return [*_Page(backtests, max(width, 60), ascii, episodes).lines()]


def as_json(backtests: BackTests) -> dict[str, Any]:
    """All of it as plain data: unix seconds, seconds; what is no number is null."""
    whole = asdict(backtests)
    whole["agreed"] = backtests.agreed
    for one, agreement in zip(whole["agreement"], backtests.agreement, strict=True):
        one["share"] = agreement.share
    for one, change in zip(whole["changes"], backtests.changes, strict=True):
        one["nothing"] = change.nothing
        one["before"], one["after"] = change.before is not None, change.after is not None
    plain: dict[str, Any] = _finite(whole)
    return plain


class _Page:
    def __init__(self, backtests: BackTests, width: int, ascii: bool, episodes: int) -> None:
        self._all = backtests
        self._episodes = episodes
        everything = [*backtests.tests, *backtests.proposed]
        names = [one_line(test.rule.alert) for test in everything] + [_LOADED, _PROPOSED]
        self._name_width = min(_LONGEST_NAME, max(map(len, names), default=0))
        self._told_width = max(map(len, map(_told, everything)), default=0)
        columns = max(10, width - self._name_width - self._told_width - 4)
        self._bar = Bar(backtests.start, backtests.end, columns, backtests.outages, ascii=ascii)

    def lines(self) -> Iterator[str]:
        yield from self._head()
        for test in self._all.tests:
            yield from self._row(one_line(test.rule.alert), test)
        yield f"{self._bar.legend()}"
        for test in self._all.tests:
            yield from self._details(test)
        yield from self._changes()
        yield from self._agreement()
        yield ""
        for note in self._all.notes:
            yield f"note: {one_line(note)}"

    def _head(self) -> Iterator[str]:
        both = self._all
        count = f"{len(both.tests)} alerts"
        yield (
            f"{count} over {lasting(both.end - both.start)}, {moment(both.start)} to {moment(both.end)} "
            f"{time.strftime('%Z', time.localtime(both.end))}, in {duration(both.seconds)}"
        )
        yield f"{'':{self._name_width}}  {'':{self._told_width}}  {self._bar.dates()}"

    def _row(self, name: str, test: BackTest) -> Iterator[str]:
        shown = _fitted(name, self._name_width)
        if test.error:
            yield f"{shown:{self._name_width}}  cannot be back-tested: {one_line(test.error)}"
        else:
            told = _told(test)
            yield f"{shown:{self._name_width}}  {told:>{self._told_width}}  {self._bar.drawn(test.spans)}"

    def _details(self, test: BackTest) -> Iterator[str]:
        notes = list(test.notes)
        if test.near_misses:
            times = _times(test.near_misses)
            notes.insert(0, f"pending {times} without firing: shorter than its `for`")
        if not (test.episodes or notes):
            return
        yield ""
        yield one_line(test.rule.alert)
        yield from self._listed(test, test.episodes, test.fired)
        for note in notes:
            yield f"  note: {one_line(note)}"

    def _listed(self, test: BackTest, episodes: Sequence[Episode], count: int) -> Iterator[str]:
        for episode in episodes[: self._episodes]:
            yield f"  {_episode(episode, test, self._all.end)}"
        if (more := count - min(len(episodes), self._episodes)) > 0:
            yield f"  and {more} more"

    def _changes(self) -> Iterator[str]:
        changes = self._all.changes
        if not changes:
            return
        yield ""
        yield "with the proposed rules"
        for change in changes:
            if change.before and change.after and not change.nothing:
                yield from self._change(change, change.before, change.after)
        for what, only in (
            ("only in the proposed rules", [one.after for one in changes if one.before is None]),
            ("only in the loaded rules", [one.before for one in changes if one.after is None]),
        ):
            for test in filter(None, only):
                yield f"  {one_line(test.rule.alert)}: {what}, {_summary(test)}"
                yield from (f"    note: {one_line(note)}" for note in test.notes)
        if same := sum(change.nothing for change in changes):
            yield f"  {same} would have fired as before"

    def _change(self, change: Change, before: BackTest, after: BackTest) -> Iterator[str]:
        kinds = {"new": change.new, "vanished": change.vanished}
        if before.error or after.error:
            yield f"  {one_line(change.name)}: {_summary(after)}; as loaded {_summary(before)}"
            return
        counted = {**kinds, "longer": change.longer, "shorter": change.shorter}
        told = ", ".join(f"{len(some)} {kind}" for kind, some in counted.items() if some)
        yield f"  {one_line(change.name)}: {_summary(after)}, not {_summary(before)}: {told}"
        yield from self._row(_LOADED, before)
        yield from self._row(_PROPOSED, after)
        for kind, some in kinds.items():
            for line in self._listed(after if kind == "new" else before, some, len(some)):
                yield f"    {kind}:{line[1:]}" if not line.startswith("  and ") else f"    {line.strip()}"

    def _agreement(self) -> Iterator[str]:
        if not self._all.agreement:
            return
        yield ""
        share = self._all.agreed
        said = "neither fired in the time compared" if share is None else f"{share:.1%} of all firing"
        yield f"agreement with the server's own ALERTS: {said}"
        quiet = 0
        for one in self._all.agreement:
            told = list(_agreed(one))
            quiet += not told
            yield from (f"  {one_line(one.name)}: {line}" for line in told)
        if quiet:
            yield f"  {quiet} fired neither here nor there"


def moment(at: float) -> str:
    """Unix seconds as `2026-11-22 17:16`, local time."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _agreed(one: Agreement) -> Iterator[str]:
    if one.since is None:
        yield f"not compared: {one_line(one.evidence)}"
        return
    if one.share is not None:
        yield (
            f"{one.share:.1%}; both fired {lasting(one.seconds_both)}, the back-test alone "
            f"{lasting(one.seconds_only_backtest)}, the server alone {lasting(one.seconds_only_server)}"
        )
    if one.seconds_before:
        yield (
            f"{lasting(one.seconds_before)} of the back-test not compared, before {moment(one.since)}: the "
            f"server may not have had the rule then, by {one_line(one.evidence)}"
        )


def _episode(episode: Episode, test: BackTest, end: float) -> str:
    last = end if episode.ended_at is None else episode.ended_at
    until = "and still" if episode.ended_at is None else f"to {moment(last)}"
    told = [f"{moment(episode.firing_at)} {until}, {lasting(last - episode.firing_at)}"]
    if episode.firing_at > episode.pending_at:
        told.append(f"pending {lasting(episode.firing_at - episode.pending_at)} before")
    if not math.isnan(episode.peak):
        told.append(f"at worst {number(episode.peak)}")
    own = [
        f"{name}={json.dumps(text, ensure_ascii=False)}"
        for name, text in episode.labels.items()
        if name not in test.rule.labels
    ]
    return one_line(", ".join([*told, *own]))


def _summary(test: BackTest) -> str:
    return f"cannot be back-tested: {one_line(test.error)}" if test.error else _told(test)


def _told(test: BackTest) -> str:
    if test.error:
        return ""
    return f"{_times(test.fired)}, {lasting(test.seconds_firing)}" if test.fired else "never"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _fitted(name: str, width: int) -> str:
    return name if len(name) <= width else f"{name[: width - 3]}..."


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
