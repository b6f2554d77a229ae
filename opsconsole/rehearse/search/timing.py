"""How long an incident lasts and how often it is looked at, from the durations in the expressions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import promql_parser as p

from opsconsole.promql.trees import walk
from opsconsole.rehearse.search import clock

_NICE_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
_DAY = 86_400.0
_MOST_EVALUATIONS = 150
_LONGEST_FILLED_SECONDS = _DAY
_SAMPLES = 4.5
_MANY_SAMPLES = 18.0
_MOST_FINE_EVALUATIONS = 500
_LOOK_BACK_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Timing:
    """The stretches of an incident, in seconds; `clock_at` is when it begins. `partly`: some window is longer
    than the incident."""

    interval_seconds: float
    evaluation_seconds: float
    before_seconds: float
    during_seconds: float
    after_seconds: float
    partly: bool = False

    @property
    def clock_at(self) -> float:
        return self.before_seconds


def timing(
    trees: Sequence[p.Expr],
    for_seconds: float,
    keep_seconds: float,
    *,
    records: bool,
    begins_at: float | None = None,
    burst: bool = False,
    longest_past_seconds: float = 3 * _DAY,
) -> Timing:
    """The stretches that an alert of this `for` needs; `records`: it rests on recording rules, whose values
    are there once an evaluation. `begins_at` is when the incident has to begin, where the calendar decides.
    A `burst` fills the shortest window and not the longest; no incident fills more than a day of one. What
    the expression has to be compared with may lie `longest_past_seconds` back."""
    windows, offsets = _durations(trees)
    window, offset = max(windows, default=0.0), max(offsets, default=0.0)
    partly = window > _LONGEST_FILLED_SECONDS or burst
    window = min(window, _LONGEST_FILLED_SECONDS)
    reach = window + (_LOOK_BACK_SECONDS if not windows else 0.0)
    lead = _lead(trees, window if burst else min(window, 6 * 3600.0), offset, longest_past_seconds)
    if begins_at is not None:
        lead = begins_at
    held = (min(windows, default=0.0) if burst else window) + for_seconds
    interval = _interval(windows, max(held, lead), _MANY_SAMPLES if _counts_swings(trees) else _SAMPLES)
    total = lead + held + reach + keep_seconds
    most = min([_LOOK_BACK_SECONDS, *(one / 4 for one in windows)]) if records else math.inf
    evaluation = _evaluation(interval, total, for_seconds, most)
    before = _up(max(5 * evaluation, lead) + (3 * evaluation if offset else 0.0), evaluation)
    if begins_at is not None:
        before = _up(begins_at, evaluation)
    during = _up(held + 4 * evaluation, evaluation)
    after = _up(reach + keep_seconds + 4 * evaluation, evaluation)
    return Timing(interval, evaluation, before, during, after, partly)


def _counts_swings(trees: Sequence[p.Expr]) -> bool:
    names = (node.func.name for tree in trees for node in walk(tree) if isinstance(node, p.Call))
    return any(name in ("changes", "resets") for name in names)


def bursts(trees: Sequence[p.Expr]) -> bool:
    """Whether a short incident is seen otherwise than a long one: by windows of different lengths."""
    return len(set(_durations(trees)[0])) > 1


def _lead(trees: Sequence[p.Expr], window: float, offset: float, longest_past: float) -> float:
    """How much time there has to be before the incident: for the windows, for what looks back, and for what
    compares with the time of day, so that what lies that long ago is after 1970."""
    wanted = [window, offset]
    if any(clock.reads_the_time(tree) for tree in trees):
        longest = max(clock.longest_number(tree) for tree in trees)
        for past in (1.3 * longest, 1.3 * longest * max(clock.thresholds(tree) for tree in trees)):
            wanted.append(past if past <= longest_past else 0.0)
    return max(wanted)


def _interval(windows: Sequence[float], span: float, parts: float) -> float:
    """The time between samples: so many `parts` at least in the shortest range, and within the look-back."""
    most = 60.0 if span <= _DAY else 300.0
    return _nice(min([most, *(window / parts for window in windows)]))


def _evaluation(interval: float, total: float, for_seconds: float, most: float) -> float:
    wanted = max(interval, total / _MOST_EVALUATIONS)
    if for_seconds:
        wanted = max(interval, min(wanted, for_seconds / 3), total / _MOST_FINE_EVALUATIONS)
    wanted = max(interval, min(wanted, most))
    times = max(1, math.floor(_nice(wanted) / interval))
    return interval * times


def _nice(seconds: float) -> float:
    return float(max([one for one in _NICE_SECONDS if one <= seconds], default=1))


def _up(seconds: float, step: float) -> float:
    return math.ceil(seconds / step - 1e-9) * step


def _durations(trees: Sequence[p.Expr]) -> tuple[list[float], list[float]]:
    """How far back the expressions look: all ranges (those of subqueries added to those within), all
    offsets."""
    windows: list[float] = []
    offsets: list[float] = []
    for tree in trees:
        windows += [window for window in _windows(tree) if window]
        for node in walk(tree):
            shift = getattr(node, "offset", None)
            if shift is not None and shift.total_seconds() > 0:
                offsets.append(shift.total_seconds())
    return windows, offsets


def seconds(duration: timedelta | None) -> float:
    return duration.total_seconds() if duration else 0.0


def _windows(node: p.Expr) -> list[float]:
    match node:
        case p.MatrixSelector():
            return [node.range.total_seconds()]
        case p.SubqueryExpr():
            inner = _windows(node.expr)
            return [*inner, seconds(node.range) + max(inner, default=0.0)]
        case p.BinaryExpr():
            return _windows(node.lhs) + _windows(node.rhs)
        case p.ParenExpr() | p.UnaryExpr() | p.AggregateExpr():
            return _windows(node.expr)
        case p.Call():
            return [window for argument in node.args for window in _windows(argument)]
    return []
