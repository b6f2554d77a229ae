"""Incidents in promtool's notation: as written, and as promtool itself reads it."""

import json
import math
from collections.abc import Iterator

import pytest

from opsconsole.lab.servers import Servers
from opsconsole.rehearse.answers import failures
from opsconsole.rehearse.model import Course, Phase
from opsconsole.rehearse.promtool import Promtool
from opsconsole.rehearse.timeline import duration, number, quoted, samples, series_name, series_values
from tests.rehearse.payments import incident, key

SHORT = incident({}, before_seconds=300.0, during_seconds=360.0, after_seconds=240.0)
"""5, 6 and 5 samples, as the last one is at the end."""

COURSES = {
    "calm": (Course(Phase(5), Phase(None), Phase(None)), "5x15"),
    "rises": (Course(Phase(0), Phase(None, 28 / 60), Phase(None)), "0x4 0+28x5 168x4"),
    "goes on": (Course(Phase(0, 1), Phase(None, 1), Phase(None, 1)), "0+60x15"),
    "faster": (Course(Phase(0, 1), Phase(None, 2), Phase(None, 0)), "0+60x4 300+120x5 1020x4"),
    "falls": (Course(Phase(100), Phase(None, -0.1), Phase(7)), "100x4 100-6x5 7x4"),
    "fraction": (Course(Phase(0.1 + 0.2), Phase(None, 1 / 600), Phase(1e-7)), "0.3x4 0.3+0.1x5 1e-7x4"),
    "a third": (Course(Phase(0), Phase(None, 0.333333333333), Phase(None)), "0x4 0+20x5 120x4"),
    "large": (Course(Phase(1e20), Phase(1234567.5), Phase(-2e6)), "1e20x4 1234567.5x5 -2000000x4"),
    "vanishes": (Course(Phase(1), None, Phase(None)), "1x4 stale _x5 0x4"),
    "ends": (Course(Phase(1), Phase(2), None), "1x4 2x5 stale _x4"),
    "stays away": (Course(Phase(1), None, None), "1x4 stale _x10"),
    "appears": (Course(None, Phase(None, 1 / 60), None), "_x5 0+1x5 stale _x4"),
    "never there": (Course(None, None, None), "_x16"),
    "flaps": (Course(Phase(1), Phase(1, swing=-1), Phase(1)), "1x5 0 1 0 1 0 1x4"),
    "swings": (Course(Phase(1), Phase(1, swing=-1, swing_every=2), Phase(1)), "1x6 0x1 1x6"),
    "swings and rises": (
        Course(Phase(0), Phase(0, 1 / 60, swing=10, swing_every=3), Phase(None)),
        "0x4 0+1x2 13+1x2 6x4",
    ),
    "not numbers": (
        Course(Phase(math.nan), Phase(math.inf), Phase(-math.inf)),
        "NaN NaN NaN NaN NaN Inf Inf Inf Inf Inf Inf -Inf -Inf -Inf -Inf -Inf",
    ),
}


@pytest.mark.parametrize("name", COURSES)
def test_values_are_written_short(name: str) -> None:
    course, written = COURSES[name]
    assert series_values(course, SHORT) == written


def meant(course: Course) -> Iterator[float | None]:
    """The values sample by sample, reckoned from the definition of a phase."""
    stood = 0.0
    for phase, count in zip((course.before, course.during, course.after), (5, 6, 5), strict=True):
        level = stood if phase is None or phase.level is None else phase.level
        for nth in range(count):
            if phase is None:
                yield None
            else:
                swing = phase.swing if nth // phase.swing_every % 2 else 0.0
                yield level + phase.slope_per_second * 60 * nth + swing
        stood = 0.0 if phase is None else level + phase.slope_per_second * 60 * count


async def test_promtool_reads_what_was_meant(servers: Servers) -> None:
    series = [
        {"series": series_name(key("x", course=name)), "values": series_values(course, SHORT)}
        for name, (course, _) in COURSES.items()
    ]
    tests = [{"expr": "x", "eval_time": f"{minute}m"} for minute in range(samples(SHORT))]
    group = {"interval": "1m", "input_series": series, "promql_expr_test": tests}
    text = json.dumps({"evaluation_interval": "1m", "tests": [group]})
    output = await Promtool(servers.promtool).run({"a_test.yml": text})
    read = {
        (dict(sample.labels)["course"], failure.at_seconds): sample.value
        for failure in failures(output)
        for sample in failure.got
    }
    for name, (course, _) in COURSES.items():
        values = [read.get((name, 60.0 * minute)) for minute in range(samples(SHORT))]
        assert values == pytest.approx(list(meant(course)), nan_ok=True), name


def test_a_sample_at_every_interval_also_where_fewer_are_evaluated() -> None:
    seldom = incident(
        {}, before_seconds=600.0, during_seconds=600.0, after_seconds=0.0, interval_seconds=30.0,
        evaluation_seconds=300.0,
    )  # fmt: skip
    assert series_values(Course(Phase(0), Phase(None, 0.1), Phase(None)), seldom) == "0x19 0+3x20"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"), (-0.0, "0"), (0.1 + 0.2, "0.3"), (100.0, "100"), (1e6, "1000000"), (1e16, "1e16"),
        (-2.5e-9, "-2.5e-9"), (9007199254740991.0, "9007199254740991"), (1 / 3, "0.333333333333333"),
        (math.inf, "Inf"), (-math.inf, "-Inf"), (math.nan, "NaN"),
    ],
    ids=str,
)  # fmt: skip
def test_numbers(value: float, written: str) -> None:
    assert number(value) == written


def test_series_are_named_as_promql_has_them() -> None:
    assert series_name(key("up")) == "up"
    assert series_name(key("up", job='a"b\\c\nd')) == r'up{job="a\"b\\c\nd"}'
    assert series_name(key("up", job="a"), prefix="c1_") == 'c1_up{job="a"}'
    assert (
        series_name(key("http.requests", **{"http.status": "200"})) == '{"http.requests","http.status"="200"}'
    )
    assert quoted("\u2028\x7fé") == r'"\U00002028\U0000007fé"'


def test_durations() -> None:
    assert [duration(seconds) for seconds in (5400, 60, 0.5, 86400)] == ["1h30m", "1m", "500ms", "1d"]
