"""What a back-test found. Frozen, no I/O. Times are unix seconds, durations seconds."""

from collections.abc import Mapping
from dataclasses import dataclass

from opsconsole.rehearse.model import Rule

Span = tuple[float, float]
"""From the first moment to before the second, unix seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One alert from pending to resolved. `labels` are the alert's without alertname; `ended_at` is the first
    evaluation at which it fired no more, None where it still fires at the end. `peak` is the value furthest
    from calm while it lasted: the highest, or the lowest where the rule asks for less than a bound; NaN where
    there was no number."""

    labels: Mapping[str, str]
    pending_at: float
    firing_at: float
    ended_at: float | None
    peak: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTest:
    """When one rule would have fired.

    `episodes` are those that fired, by the time at which they fired, the first `MOST_EPISODES` of the `fired`
    that there were; `near_misses` were pending and never fired. `spans` are the times at which at least one
    of its alerts fired, and `seconds_firing` their sum. `step_seconds` lie between two evaluations. `error`
    says why it could not be back-tested, empty where it was; `notes` what to know of the result.
    """

    rule: Rule
    step_seconds: float
    episodes: tuple[Episode, ...] = ()
    fired: int = 0
    near_misses: int = 0
    spans: tuple[Span, ...] = ()
    seconds_firing: float = 0.0
    error: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The back-test of all rules of one name beside the server's own ALERTS of that name, in seconds, summed
    over the alerts (label sets).

    They are compared from `since` on, for `seconds_compared`: from when the server can have fired it by what
    `evidence` tells. None: not compared, and `evidence` says why. `seconds_before` of the back-test's firing
    are earlier, and not compared.
    """

    name: str
    since: float | None
    evidence: str
    seconds_compared: float = 0.0
    seconds_both: float = 0.0
    seconds_only_backtest: float = 0.0
    seconds_only_server: float = 0.0
    seconds_before: float = 0.0

    @property
    def share(self) -> float | None:
        """The part of all firing on which the two agree; None where neither fired."""
        return share((self,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the proposed rules would have changed for one alert; `before` is None for an alert that only they
    have, `after` for one that only the loaded rules have.

    `new` and `vanished` are the episodes that overlap none of the other's of the same series; of the others,
    `longer` and `shorter` are those, as they were before, whose firing would have lasted longer or shorter.
    """

    name: str
    before: BackTest | None
    after: BackTest | None
    new: tuple[Episode, ...] = ()
    vanished: tuple[Episode, ...] = ()
    longer: tuple[Episode, ...] = ()
    shorter: tuple[Episode, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether both have the alert, could be back-tested, and would have fired at the same times."""
        tested = self.before and self.after and not (self.before.error or self.after.error)
        return bool(tested) and not (self.new or self.vanished or self.longer or self.shorter)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTests:
    """The back-tests of the loaded rules (`tests`) and of the proposed ones over the same time.

    `step_seconds` is the step that was asked for; each test tells its own. `seconds` is how long it all took.
    """

    start: float
    end: float
    step_seconds: float
    tests: tuple[BackTest, ...]
    proposed: tuple[BackTest, ...] = ()
    agreement: tuple[Agreement, ...] = ()
    changes: tuple[Change, ...] = ()
    outages: tuple[Span, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def agreed(self) -> float | None:
        """The part of all firing on which back-test and server agree; None where neither fired."""
        return share(self.agreement)


def share(agreement: tuple[Agreement, ...]) -> float | None:
    """The part of all firing on which both agree; None where neither fired."""
    both = sum(one.seconds_both for one in agreement)
    either = both + sum(one.seconds_only_backtest + one.seconds_only_server for one in agreement)
    return both / either if either else None
