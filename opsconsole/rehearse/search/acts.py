"""What a search has decided so far: what each series does, which are not there, which label values they
share."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from opsconsole.promql import Selector
from opsconsole.rehearse.model import SeriesKey
from opsconsole.rehearse.search.texts import takes


@dataclass(frozen=True, slots=True)
class Act:
    """What one series does in the incident; None: not decided. `slope` is per second; `earlier` and
    `earlier_slope` are for the time before the incident, at which an `offset` looks. Swings as in Phase."""

    level: float | None = None
    slope: float | None = None
    earlier: float | None = None
    earlier_slope: float | None = None
    swing: float = 0.0
    swing_every: int = 1

    @property
    def only_earlier(self) -> bool:
        """Whether nothing is decided but for the time before the incident."""
        now = self.level is not None or self.slope is not None or bool(self.swing)
        return not now and (self.earlier is not None or self.earlier_slope is not None)


@dataclass(frozen=True, slots=True)
class State:
    """One consistent set of decisions. `barred` selectors must find nothing during the incident, those
    `barred_earlier` nothing before it. `stopped` series are there until it begins. `bound` are label values
    that were chosen and are wished for again, `forced` those that must be taken where a series has the
    label."""

    acts: Mapping[SeriesKey, Act] = field(default_factory=dict)
    barred: tuple[Selector, ...] = ()
    barred_earlier: tuple[Selector, ...] = ()
    stopped: frozenset[SeriesKey] = frozenset()
    bound: Mapping[str, str] = field(default_factory=dict)
    forced: Mapping[str, str] = field(default_factory=dict)

    def with_act(self, key: SeriesKey, act: Act) -> "State | None":
        """The state with this series doing that; None where a barred selector would find it."""
        if not act.only_earlier and any(finds(selector, key) for selector in self.barred):
            return None
        before = act.earlier is not None or act.earlier_slope is not None
        if before and any(finds(selector, key) for selector in self.barred_earlier):
            return None
        labels = {name: value for name, value in key if name != "__name__"}
        return replace(self, acts={**self.acts, key: act}, bound={**labels, **self.bound})

    def without(self, selector: Selector, *, earlier: bool = False) -> "State | None":
        """The state in which the selector finds nothing. Series that it finds and that take part already stop
        when the incident begins: a range that looks back sees them still. None where they cannot."""
        if earlier:
            if any(self.acts[key].earlier is not None for key in self.found_by(selector)):
                return None
            return replace(self, barred_earlier=(*self.barred_earlier, selector))
        found = [key for key in self.found_by(selector) if not self.acts[key].only_earlier]
        stopped = self.stopped.union(found)
        return replace(self, barred=(*self.barred, selector), stopped=stopped)

    def found_by(self, selector: Selector) -> list[SeriesKey]:
        """The series taking part that the selector finds."""
        return [key for key in self.acts if finds(selector, key)]


def finds(selector: Selector, key: SeriesKey) -> bool:
    """Whether a selector finds the series."""
    labels = dict(key)
    if selector.metric is not None and labels.get("__name__") != selector.metric:
        return False
    return all(takes(matcher, labels.get(matcher.label, "")) for matcher in selector.matchers)


def key_of(metric: str, labels: Mapping[str, str]) -> SeriesKey:
    return tuple(
        sorted({**{name: value for name, value in labels.items() if value}, "__name__": metric}.items())
    )
