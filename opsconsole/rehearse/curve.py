"""The course of an alert's value under its incident, for a chart."""

import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from opsconsole.errors import Nonsense
from opsconsole.promql.trees import Comparison, comparison, parse
from opsconsole.rehearse.answers import Failure, Labels, failures
from opsconsole.rehearse.model import Candidate, Fired
from opsconsole.rehearse.promtool import TEST_ENDING, Promtool, document
from opsconsole.rehearse.timeline import duration, series_name, series_values
from opsconsole.rehearse.unit_tests import groups, rules_file

_POINTS = 60
_COMPARES = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What `expr` is worth over an incident, against the threshold that it is compared with by `op`.

    `points` are seconds from the beginning and values, rising in time, none where there is no value or none
    that is finite. Without a comparison with a number, `threshold` is None, `op` empty, and the values are 1
    where the expression has data and 0 where it has not. The moments are those of the alert, in seconds.
    """

    expr: str
    points: Points
    threshold: float | None
    op: str
    pending_at: float | None
    firing_at: float | None
    resolved_at: float | None


async def curve(promtool: Promtool, candidate: Candidate, fired: Fired) -> Curve:
    """The values of the series that fired, at some 60 moments, by one run of promtool.

    Where the compared side has several series, it is the one most like the fired alert by its labels. Where
    another comparison than the outermost made it fire, the expression as a whole is read, in a second run.
    Raises
    MissingServer, TimedOut and Nonsense as `Promtool.run` does.
    """
    compared = _comparison(candidate.rule.expr)
    if compared:
        points = tuple(_values(await _read(promtool, candidate, compared.left, fired), fired))
        if fired.firing_at is None or _holds(compared, dict(points).get(fired.firing_at)):
            return _curve(compared.left, points, fired, compared)
    read = await _read(promtool, candidate, candidate.rule.expr, fired)
    return _curve(candidate.rule.expr, tuple(_presence(read, _moments(candidate, fired))), fired)


def _curve(expr: str, points: Points, fired: Fired, compared: Comparison | None = None) -> Curve:
    return Curve(
        expr=expr,
        points=points,
        threshold=compared.threshold if compared else None,
        op=compared.op if compared else "",
        pending_at=fired.pending_at,
        firing_at=fired.firing_at,
        resolved_at=fired.resolved_at,
    )


def _holds(compared: Comparison, value: float | None) -> bool:
    """Whether it is this comparison that fires: of `x > 100 or y > 3` it may be the other one."""
    return value is not None and _COMPARES[compared.op](value, compared.threshold)


def _comparison(expr: str) -> Comparison | None:
    try:
        return comparison(parse(expr))
    except Nonsense:
        return None


async def _read(promtool: Promtool, candidate: Candidate, expr: str, fired: Fired) -> list[Failure]:
    files = dict(_files(candidate, expr, _moments(candidate, fired)))
    return list(failures(await promtool.run(files)))


def _moments(candidate: Candidate, fired: Fired) -> list[float]:
    """Evaluations from the first to the last, evenly apart, and those at which the alert changed."""
    step = candidate.incident.evaluation_seconds
    steps = math.floor(candidate.incident.seconds / step)
    every = math.ceil(steps / _POINTS) or 1
    changes = (fired.pending_at, fired.firing_at, fired.resolved_at)
    return sorted(
        {step * nth for nth in range(0, steps + 1, every)} | {at for at in changes if at is not None}
    )


def _files(candidate: Candidate, expr: str, moments: Sequence[float]) -> Iterator[tuple[str, str]]:
    incident, rules = candidate.incident, (*candidate.rests_on, candidate.rule)
    group = {
        "interval": duration(incident.interval_seconds),
        "input_series": [
            {"series": series_name(key), "values": series_values(course, incident)}
            for key, course in incident.courses.items()
        ],
        "promql_expr_test": [
            {"expr": expr, "eval_time": duration(moment) if moment else "0s"} for moment in moments
        ],
    }
    test: Mapping[str, object] = {
        "rule_files": ["rules.yml"],
        "group_eval_order": groups(rules),
        "evaluation_interval": duration(incident.evaluation_seconds),
        "tests": [group],
    }
    yield "rules.yml", rules_file(rules)
    yield f"curve{TEST_ENDING}", document(test)


def _values(read: Sequence[Failure], fired: Fired) -> Iterator[tuple[float, float]]:
    series = {sample.labels for each in read for sample in each.got}
    if not series:
        return
    chosen = min(series, key=lambda labels: (_unlike(labels, fired), labels))
    for each in read:
        for sample in each.got:
            if sample.labels == chosen and math.isfinite(sample.value):
                yield each.at_seconds, sample.value


def _unlike(labels: Labels, fired: Fired) -> int:
    """How many labels of a series the fired alert has not, or with another value."""
    return sum(fired.labels.get(name) != value for name, value in labels if name != "__name__")


def _presence(read: Sequence[Failure], moments: Sequence[float]) -> Iterator[tuple[float, float]]:
    there = {each.at_seconds for each in read if each.got}
    yield from ((moment, 1.0 if moment in there else 0.0) for moment in moments)
