"""What is rehearsed, and what came of it. Frozen, no I/O. Times and durations are seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Word(StrEnum):
    """The verdict on an alert or a panel; the words that every output begins with."""

    ALIVE = "alive"
    DEAD = "dead"
    UNFED = "unfed"
    UNDECIDED = "undecided"
    DATA = "data"
    QUIET = "quiet"
    NEVER = "never"
    ERROR = "error"


BAD = frozenset({Word.DEAD, Word.UNFED, Word.NEVER, Word.ERROR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule as loaded or as written. `expr` is PromQL as it stands there; `line` is the line of `expr` in
    `file`, counted from 1 (0: not known). `alert` is empty for a recording rule and `record` for an alert.
    `interval_seconds` is the group's, None where it names none."""

    expr: str
    alert: str = ""
    record: str = ""
    for_seconds: float = 0.0
    keep_firing_for_seconds: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    group: str = ""
    interval_seconds: float | None = None
    file: str = ""
    line: int = 0

    @property
    def name(self) -> str:
        return self.alert or self.record


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel of a dashboard. `queries` are its PromQL with the template variables filled in as Grafana
    would do it; `unfilled` the variables that have no value."""

    title: str
    queries: tuple[str, ...]
    unfilled: tuple[str, ...] = ()
    dashboard: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why something can never be true, or can never have data.

    `kind` is a slug of `opsconsole.rehearse.reasons.KINDS`. `summary` is one sentence. `guilty` is the part
    of the expression that is to blame, as the parser writes it (`str(node)`), and `nth` which of its
    occurrences in `str(tree)` it is, from 0. `correction` is what to write instead, empty where there is
    none. `guess` says what unproven thing the reason rests on, empty where it is proven.
    """

    kind: str
    summary: str
    guilty: str = ""
    nth: int = 0
    correction: str = ""
    guess: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    """What a series does for a while. `level` is its value at the beginning of the phase (None: it goes on
    from where it stood, from 0 where it was not there), `slope_per_second` its change. With a `swing` its
    value is alternately `level` and `level + swing`, changing every `swing_every` samples."""

    level: float | None = None
    slope_per_second: float = 0.0
    swing: float = 0.0
    swing_every: int = 1


ABSENT = None
"""For a phase in which the series is not there."""


@dataclass(frozen=True, slots=True)
class Course:
    """What a series does before the incident, during it, and after. None: it is not there."""

    before: Phase | None
    during: Phase | None
    after: Phase | None


SeriesKey = tuple[tuple[str, str], ...]
"""A label set as sorted pairs, `__name__` among them, no empty values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What happens to the series: `before_seconds` of calm, the incident, calm again. A sample each
    `interval_seconds`, an evaluation each `evaluation_seconds` (of which the interval is a whole part, and
    which all three stretches are multiples of); time 0 is 1970-01-01 00:00 UTC, a Thursday, as for promtool.

    `brought` tells of label values and series that it makes up: not seen yet, but they may come. `size`
    orders incidents: the smaller, the sooner it is shown to a person. `story` is what happens, for people.
    """

    courses: Mapping[SeriesKey, Course]
    before_seconds: float
    during_seconds: float
    after_seconds: float
    interval_seconds: float = 60.0
    evaluation_seconds: float = 60.0
    brought: tuple[str, ...] = ()
    size: float = 0.0
    story: str = ""

    @property
    def seconds(self) -> float:
        return self.before_seconds + self.during_seconds + self.after_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An incident that may fire a rule. `rests_on` are the recording rules that its expression reads,
    directly or through others, in the order in which they are evaluated."""

    rule: Rule
    incident: Incident
    rests_on: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """What promtool saw of an alert under an incident, in seconds from the beginning of its timeline; None:
    not seen. `resolved_at` is the first evaluation at which it fired no more. `labels` are those of the first
    alert that fired, without alertname and alertstate. `error` is promtool's, where the rule failed."""

    pending_at: float | None = None
    firing_at: float | None = None
    resolved_at: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """The proof that an alert can fire: `test` is a promtool unit test (YAML) that passes with
    `promtool_version`. It rests on `rules.yml`, which `rules_file` is the text of: the rule as it stands,
    without annotations, and the recording rules `rests_on` that it reads, in their groups."""

    incident: Incident
    fired: Fired
    test: str
    rules_file: str
    promtool_version: str
    rests_on: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something that is suspicious beside the verdict; `kind` is a slug of `reasons.WARNINGS`."""

    kind: str
    summary: str
    guilty: str = ""
    nth: int = 0
    correction: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one alert or panel.

    `reasons` are set for dead, unfed, never and error; `witness` for alive; `tried` tells for undecided what
    was tried and what stood in the way. `guess` says what the verdict rests on that was only guessed, empty
    where nothing was. `expr` is the alert's expression, or the panel's queries, a line each, variables
    filled.
    """

    subject: str
    kind: str
    word: Word
    expr: str
    reasons: tuple[Reason, ...] = ()
    witness: Witness | None = None
    warnings: tuple[Warned, ...] = ()
    tried: str = ""
    guess: str = ""
    group: str = ""
    file: str = ""
    line: int = 0
    rule: Rule | None = None

    @property
    def because(self) -> str:
        """One line: the reason, the story of the witness, or what was tried."""
        if self.reasons:
            return self.reasons[0].summary
        if self.witness:
            return self.witness.incident.story
        return self.tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """All verdicts, in the order of the rules and dashboards. `schema` says in a sentence what the truth
    about series was, `peak_bytes` the most memory that this process and its promtools held, each at its
    peak."""

    verdicts: tuple[Verdict, ...]
    schema: str
    promtool_version: str
    seconds: float
    peak_bytes: int = 0


def exit_code(rehearsal: Rehearsal) -> int:
    """0 all are alive or can show data; 1 one is dead, unfed, never or an error; 3 some are undecided, or
    there was nothing to rehearse."""
    words = {verdict.word for verdict in rehearsal.verdicts}
    if words & BAD:
        return 1
    return 3 if Word.UNDECIDED in words or not words else 0
