"""Candidates to rehearse with: payments that fail."""

from typing import Any

from opsconsole.rehearse.model import Candidate, Course, Incident, Phase, Rule, SeriesKey

RATIO = 'sum by (job) (rate(paid{status="failed"}[5m])) / sum by (job) (rate(paid[5m])) > 0.1'


def key(name: str, **labels: str) -> SeriesKey:
    return tuple(sorted({"__name__": name, **labels}.items()))


def rising(before: float, during: float, after: float = 0.0) -> Course:
    """A counter that rises by so much a minute."""
    return Course(Phase(0.0, before / 60), Phase(None, during / 60), Phase(None, after / 60))


FAILED = key("paid", job="a", status="failed")
WENT_WELL = key("paid", job="a", status="success")
FAILING = {FAILED: rising(0, 28), WENT_WELL: rising(100, 72, 100)}


def incident(courses: dict[SeriesKey, Course] | None = None, **changes: Any) -> Incident:
    """28 of 100 payments fail from minute 10 to minute 40 of 60."""
    stretches = {"before_seconds": 600.0, "during_seconds": 1800.0, "after_seconds": 1200.0}
    return Incident(
        courses=FAILING if courses is None else courses,
        **{"story": "28 of 100 payments fail", **stretches, **changes},
    )


def candidate(
    expr: str = RATIO,
    courses: dict[SeriesKey, Course] | None = None,
    *,
    rests_on: tuple[Rule, ...] = (),
    seen: Incident | None = None,
    **rule: Any,
) -> Candidate:
    return Candidate(
        rule=Rule(expr=expr, **{"alert": "PaymentsFail", **rule}),
        incident=seen or incident(courses),
        rests_on=rests_on,
    )
