"""A search's decisions made into an incident: what every series does before, during and after."""

from collections.abc import Mapping

from opsconsole.checkkit import lasting
from opsconsole.rehearse.model import Course, Incident, Phase, SeriesKey
from opsconsole.rehearse.schema import Schema
from opsconsole.rehearse.search.acts import Act, State, finds
from opsconsole.rehearse.search.regions import tidy
from opsconsole.rehearse.search.timing import Timing


def incident(state: State, calm: State | None, timing: Timing, schema: Schema, *, size: float) -> Incident:
    """The incident of a state; before and after it the series do what `calm` says, or are not there."""
    courses: dict[SeriesKey, Course] = {}
    still = calm.acts if calm else {}
    for key, act in state.acts.items():
        courses[key] = _course(key, act, still.get(key), schema, lasts=calm is not None)
    for key, act in still.items():
        if key not in courses:
            barred = any(finds(selector, key) for selector in state.barred)
            rest = _phase(key, act, schema)
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
        story=_story(courses, timing),
    )


def _course(key: SeriesKey, act: Act, calm: Act | None, schema: Schema, *, lasts: bool) -> Course:
    during = _phase(key, act, schema)
    if act.earlier is not None or act.earlier_slope is not None:
        past = Act(level=act.earlier, slope=act.earlier_slope)
        before = _phase(key, past, schema)
        return Course(before=before, during=during, after=before)
    if calm is not None:
        rest = _phase(key, calm, schema)
        return Course(before=rest, during=during, after=rest)
    if lasts and not act.slope and not act.swing:
        return Course(before=during, during=_goes_on(during), after=_goes_on(during))
    if lasts:
        flat = Phase(level=act.level if act.level is not None else 0.0)
        return Course(before=flat, during=during, after=Phase())
    return Course(before=None, during=during, after=None)


def _phase(key: SeriesKey, act: Act, schema: Schema) -> Phase:
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


def _story(courses: Mapping[SeriesKey, Course], timing: Timing) -> str:
    """What happens, in a line: the series whose course changes with the incident, at most three."""
    changing = {key: one for key, one in courses.items() if one.before != one.during} or courses
    parts = [f"{written(key)} {_said(one, timing)}" for key, one in list(changing.items())[:3]]
    more = f" and {len(changing) - 3} more series" if len(changing) > 3 else ""
    return "; ".join(parts) + more


def _said(course: Course, timing: Timing) -> str:
    phase = course.during
    if phase is None:
        return "is not there"
    if phase.swing:
        return f"goes to and fro between {phase.level or 0:g} and {(phase.level or 0) + phase.swing:g}"
    if phase.slope_per_second:
        change = phase.slope_per_second * 300
        begins = "" if phase.level is None else f"from {phase.level:g} "
        return f"{begins}{'+' if change > 0 else ''}{change:.4g} in 5 min"
    return "stands still" if phase.level is None else f"is {phase.level:.12g}"


def written(key: SeriesKey) -> str:
    """A series for people: without the labels of scraping."""
    labels = dict(key)
    name = labels.pop("__name__")
    told = ", ".join(
        f'{label}="{value}"' for label, value in labels.items() if label not in ("job", "instance")
    )
    return f"{name}{{{told}}}" if told else name


def for_how_long(seconds: float) -> str:
    return lasting(seconds)
