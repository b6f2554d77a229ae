"""Incidents in the notation of promtool's `input_series`.

Series and their values (`1+28x14 stale _x5`), and numbers and durations as both people and promtool read
them. Values are reckoned in decimals of 15 digits, their changes from sample to sample of 11, so that 28 a
minute stays 28 and 0.1 + 0.2 is 0.3.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Context, Decimal

import promql_parser as p

from opsconsole.rehearse.model import Course, Incident, Phase, SeriesKey

_CLASSIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
_FLOAT_DIGITS = Context(prec=15)
_STEP_DIGITS = Context(prec=11)
_MOST_DIGITS = 15
_LEAST_EXPONENT = -6


@dataclass(frozen=True, slots=True)
class _Run:
    """Samples one after another that grow by the same step; None: no samples."""

    first: Decimal | None
    samples: int
    step: Decimal = Decimal(0)


def series_name(key: SeriesKey | Mapping[str, str], prefix: str = "") -> str:
    """A series as promtool's input has it, `up{job="app"}`, its metric's name with a prefix."""
    labels = dict(key)
    metric = prefix + labels.pop("__name__", "")
    inner = [f"{_label_name(name)}={quoted(value)}" for name, value in sorted(labels.items())]
    if not _CLASSIC.fullmatch(metric):
        inner.insert(0, quoted(metric))
        metric = ""
    return f"{metric}{{{','.join(inner)}}}" if inner else metric


def series_values(course: Course, incident: Incident) -> str:
    """The values of a series at 0, the interval, twice the interval, ... to the incident's end.

    The phase that begins at a moment owns the sample at that moment. A series that was there and is not any
    more gets a staleness marker first, as from a scrape.
    """
    return " ".join(_written(_merged(_runs(course, incident))))


def samples(incident: Incident) -> int:
    """How many samples a series has from 0 to the incident's end, both included."""
    return round(incident.seconds / incident.interval_seconds) + 1


def number(value: float | Decimal) -> str:
    """The shortest exact form of a number, without an exponent where it is not very large or small."""
    exact = value if isinstance(value, Decimal) else _meant(value)
    if exact.is_nan():
        return "NaN"
    if exact.is_infinite():
        return "Inf" if exact > 0 else "-Inf"
    exact = exact.normalize()
    if exact == 0:
        return "0"
    if _LEAST_EXPONENT <= exact.adjusted() <= _MOST_DIGITS:
        return format(exact, "f")
    digits, _, exponent = f"{exact:e}".partition("e")
    return f"{digits}e{int(exponent)}"


def duration(seconds: float) -> str:
    """A duration as Prometheus writes it, such as `1h30m` or `500ms`."""
    return p.display_duration(timedelta(milliseconds=round(1000 * seconds)))


def quoted(text: str) -> str:
    """A string as PromQL and promtool read it, in one line of printable characters."""
    return '"' + "".join(_ESCAPES.get(sign) or _printable(sign) for sign in text) + '"'


def _printable(sign: str) -> str:
    return sign if sign.isprintable() else f"\\U{ord(sign):08x}"


def _label_name(name: str) -> str:
    return name if _CLASSIC.fullmatch(name) and ":" not in name else quoted(name)


def _runs(course: Course, incident: Incident) -> Iterator[_Run]:
    stood = Decimal(0)
    for phase, count in zip((course.before, course.during, course.after), _counts(incident), strict=True):
        if phase is None:
            stood = Decimal(0)
            yield _Run(None, count)
            continue
        level = stood if phase.level is None else _meant(phase.level)
        step = _product(phase.slope_per_second, incident.interval_seconds)
        yield from _phase_runs(phase, level, step, count)
        stood = _plus(level, step, count)


def _counts(incident: Incident) -> tuple[int, int, int]:
    begins = round(incident.before_seconds / incident.interval_seconds)
    ends = round((incident.before_seconds + incident.during_seconds) / incident.interval_seconds)
    return begins, ends - begins, samples(incident) - ends


def _phase_runs(phase: Phase, level: Decimal, step: Decimal, count: int) -> Iterator[_Run]:
    if not phase.swing:
        yield _Run(level, count, step)
        return
    swing = _meant(phase.swing)
    for turn, done in enumerate(range(0, count, phase.swing_every)):
        base = _plus(level, step, done)
        yield _Run(base + swing if turn % 2 else base, min(phase.swing_every, count - done), step)


def _product(a: float, b: float) -> Decimal:
    """A third a second is 20 a minute, also where the third was rounded."""
    exact = _meant(float(Decimal(repr(float(a))) * Decimal(repr(float(b)))))
    return _STEP_DIGITS.plus(exact) if exact.is_finite() else exact


def _meant(value: float) -> Decimal:
    """The decimal that was meant by a float: 7/15 a second are 28 a minute, 0.1 + 0.2 is 0.3."""
    exact = Decimal(repr(float(value)))
    return exact if not exact.is_finite() or value == int(value) else _FLOAT_DIGITS.plus(exact)


def _plus(first: Decimal, step: Decimal, times: int) -> Decimal:
    return first + step * times if step and times else first


def _merged(runs: Iterator[_Run]) -> Iterator[_Run]:
    """The runs, those that go on as the one before made one with it."""
    last = None
    for run in runs:
        if not run.samples:
            continue
        if last is None:
            last = run
        elif (joined := _joined(last, run)) is not None:
            last = joined
        else:
            yield last
            last = run
    if last is not None:
        yield last


def _joined(last: _Run, run: _Run) -> _Run | None:
    if last.first is None or run.first is None:
        both = last.first is None and run.first is None
        return replace(last, samples=last.samples + run.samples) if both else None
    step = last.step if last.samples > 1 else run.step
    if (run.samples > 1 and run.step != step) or run.first != _plus(last.first, step, last.samples):
        return None
    return _Run(last.first, last.samples + run.samples, step)


def _written(runs: Iterator[_Run]) -> Iterator[str]:
    was_there = False
    for run in runs:
        if run.first is None:
            if was_there:
                yield "stale"
            if missing := run.samples - was_there:
                yield f"_x{missing}"
        elif not run.first.is_finite():
            yield from [number(run.first)] * run.samples
        elif run.samples == 1:
            yield number(run.first)
        elif run.step:
            sign = "-" if run.step < 0 else "+"
            yield f"{number(run.first)}{sign}{number(abs(run.step))}x{run.samples - 1}"
        else:
            yield f"{number(run.first)}x{run.samples - 1}"
        was_there = run.first is not None
