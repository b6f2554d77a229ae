"""What happens in an incident, in a line for people."""

from collections.abc import Iterator, Mapping

from opsconsole.checkkit import lasting
from opsconsole.rehearse.model import Course, Phase, SeriesKey

_SPANS_SECONDS = (300.0, 3600.0, 86_400.0)
_MOST_TOLD = 3
_NOTHING = "no series of it is there"
_ALWAYS = "it reads no series: it fires whatever happens"
_SCRAPING = ("job", "instance")


def story(courses: Mapping[SeriesKey, Course], for_seconds: float, *, reads: bool = True) -> str:
    """The series whose course changes with the incident, the buckets of a histogram together."""
    changing = {key: one for key, one in courses.items() if one.before != one.during} or dict(courses)
    parts = list(_parts(changing))
    told = "; ".join(parts[:_MOST_TOLD]) or (_NOTHING if reads else _ALWAYS)
    more = f" and {len(parts) - _MOST_TOLD} more series" if len(parts) > _MOST_TOLD else ""
    return told + more + (f", for {lasting(for_seconds)}" if for_seconds else "")


def written(key: SeriesKey, without: tuple[str, ...] = ()) -> str:
    """A series for people: without the labels that scraping adds."""
    labels = dict(key)
    name = labels.pop("__name__")
    hidden = (*_SCRAPING, *without)
    told = ", ".join(f'{label}="{value}"' for label, value in labels.items() if label not in hidden)
    return f"{name}{{{told}}}" if told else name


def _parts(changing: Mapping[SeriesKey, Course]) -> Iterator[str]:
    buckets: dict[str, list[tuple[str, Course]]] = {}
    plain: dict[SeriesKey, Course] = {}
    for key, course in changing.items():
        labels = dict(key)
        if labels["__name__"].endswith("_bucket") and "le" in labels:
            buckets.setdefault(written(key, ("le",)), []).append((labels["le"], course))
        else:
            plain[key] = course
    for name, filled in buckets.items():
        yield _mass(name, filled)
    shares = _share(plain)
    if shares:
        yield shares
        return
    for key, course in plain.items():
        yield f"{written(key)} {_said(course.during)}"


def _mass(name: str, filled: list[tuple[str, Course]]) -> str:
    """Between which bounds a histogram's observations lie."""
    filled.sort(key=lambda one: float(one[0]))
    full = [le for le, course in filled if _amount(course)]
    empty = [le for le, course in filled if not _amount(course)]
    low = f"above {empty[-1]}" if empty else ""
    high = f"up to {full[0]}" if full and full[0] != "+Inf" else ""
    where = " and ".join(part for part in (low, high) if part) or "anywhere"
    return f"{name.replace('_bucket', '', 1)} observes values {where}"


def _amount(course: Course) -> float:
    phase = course.during
    return 0.0 if phase is None else phase.slope_per_second or phase.level or 0.0


def _share(plain: Mapping[SeriesKey, Course]) -> str:
    """Of two counters of one metric that differ in one label: the first's part of both."""
    if len(plain) != 2:
        return ""
    (key, course), (other, rest) = plain.items()
    label = [name for name, value in key if dict(other).get(name) != value]
    rises = [
        phase.slope_per_second for one in (course, rest) if (phase := one.during) and phase.level is None
    ]
    if len(label) != 1 or len(rises) != 2 or min(rises) <= 0 or len(key) != len(other):
        return ""
    if label == ["__name__"]:
        return ""
    span = _span(min(rises))
    part, whole = rises[0] * span, sum(rises) * span
    value = dict(key)[label[0]]
    among = f"{written(other, (label[0],))} in {lasting(span)}"
    return f'{part:.4g} of {whole:.4g} {among} have {label[0]}="{value}"'


def _span(slope_per_second: float) -> float:
    """The shortest time to tell a change over in which it is one at least."""
    return next((span for span in _SPANS_SECONDS if slope_per_second * span >= 1), _SPANS_SECONDS[-1])


def _said(phase: Phase | None) -> str:
    if phase is None:
        return "is not there"
    if phase.swing:
        low = phase.level or 0.0
        return f"goes to and fro between {low:g} and {low + phase.swing:g}"
    if phase.slope_per_second:
        span = _span(abs(phase.slope_per_second))
        change = phase.slope_per_second * span
        begins = "" if phase.level is None else f"from {phase.level:g} "
        return f"{begins}{change:+.4g} in {lasting(span)}"
    return "stands still" if phase.level is None else f"is {phase.level:.12g}"
