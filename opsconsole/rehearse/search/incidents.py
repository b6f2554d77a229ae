"""A search's decisions made into an incident: what every series does before, during and after."""

from collections.abc import Mapping

from opsconsole.rehearse.model import Course, Incident, Phase, SeriesKey
from opsconsole.rehearse.schema import Schema
from opsconsole.rehearse.search.acts import Act, State, finds
from opsconsole.rehearse.search.regions import tidy
from opsconsole.rehearse.search.stories import story
from opsconsole.rehearse.search.timing import Timing


def incident(
    state: State, calm: State | None, timing: Timing, schema: Schema, *, size: float, for_seconds: float
) -> Incident:
    """The incident of a state; before and after it the series do what `calm` says, or are not there."""
    courses: dict[SeriesKey, Course] = {}
    still = calm.acts if calm else {}
    for key, act in state.acts.items():
        course = _course(act, still.get(key), lasts=calm is not None)
        if key in state.stopped or (act.only_earlier and any(finds(one, key) for one in state.barred)):
            course = Course(before=course.before or course.during, during=None, after=course.after)
        if any(finds(one, key) for one in state.barred_earlier):
            course = Course(before=None, during=course.during, after=None)
        courses[key] = course
    for key, act in still.items():
        if key not in courses:
            barred = any(finds(selector, key) for selector in state.barred)
            rest = _phase(act)
            courses[key] = Course(before=rest, during=None if barred else _goes_on(rest), after=rest)
    return Incident(
        courses=courses,
        before_seconds=timing.before_seconds,
        during_seconds=timing.during_seconds,
        after_seconds=timing.after_seconds,
        interval_seconds=timing.interval_seconds,
        evaluation_seconds=timing.evaluation_seconds,
        brought=_brought(courses, schema),
        size=size,
        story=story(courses, for_seconds, reads=bool(state.acts or state.barred)),
    )


def _course(act: Act, calm: Act | None, *, lasts: bool) -> Course:
    during = _phase(act)
    if act.earlier is not None or act.earlier_slope is not None:
        past = Act(level=act.earlier, slope=act.earlier_slope)
        before = _phase(past)
        return Course(before=before, during=during, after=before)
    if calm is not None:
        rest = _phase(calm)
        return Course(before=rest, during=during, after=rest)
    if lasts and not act.slope and not act.swing:
        return Course(before=during, during=_goes_on(during), after=_goes_on(during))
    if lasts:
        flat = Phase(level=act.level if act.level is not None else 0.0)
        return Course(before=flat, during=during, after=Phase())
    return Course(before=None, during=during, after=None)


def _phase(act: Act) -> Phase:
    level = act.level
    if level is None and act.slope is None:
        level = 1.0
    slope = tidy(act.slope or 0.0)
    return Phase(level=level, slope_per_second=slope, swing=act.swing, swing_every=act.swing_every)


def _goes_on(phase: Phase) -> Phase:
    """The same, going on from where it stands where it moves."""
    return Phase(None, phase.slope_per_second) if phase.slope_per_second else phase


def _brought(courses: Mapping[SeriesKey, Course], schema: Schema) -> tuple[str, ...]:
    """Label values that no series was seen with, and series of which no sample is known."""
    if schema.origin == "guess":
        return ()
    told: dict[str, None] = {}
    for key, course in courses.items():
        labels = dict(key)
        known = schema.metrics.get(labels.pop("__name__"))
        if known is None or course.during is None:
            continue
        for name, value in labels.items():
            if name in known.possible and all(one.get(name) != value for one in known.series):
                told[f'{known.name}{{{name}="{value}"}}'] = None
    return tuple(told)
