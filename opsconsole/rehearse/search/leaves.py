"""Selectors with the function that reads them: which property of a series gives the value, and how."""

from dataclasses import dataclass, replace
from typing import Any

import promql_parser as p

from opsconsole.promql import Selector
from opsconsole.promql.trees import number
from opsconsole.promql.trees import selector as selector_of
from opsconsole.rehearse.search.acts import Act
from opsconsole.rehearse.search.regions import Region, tidy
from opsconsole.rehearse.search.timing import seconds

_NOT_NEGATIVE = Region(0.0, lo_closed=True)
_CHANGES = {"rate", "increase", "irate", "delta", "deriv", "idelta"}
_COUNTER = {"rate", "increase", "irate"}
_LEVELS = {
    "avg_over_time", "min_over_time", "max_over_time", "last_over_time", "first_over_time",
    "quantile_over_time", "sum_over_time", "double_exponential_smoothing", "holt_winters",
}  # fmt: skip
_SWINGS = {"changes", "resets", "stddev_over_time", "stdvar_over_time", "mad_over_time"}
_THERE = {"count_over_time", "present_over_time"}
_USUAL_CHANGE = 100.0
_USUAL_LEVEL = 100.0
_YES_OR_NO = ("up", "_info", "_healthy", "_ready", "_status", "_condition", "_enabled", "_success", "_leader")


@dataclass(frozen=True, slots=True)
class Leaf:
    """`value = factor * component`, the component being a series' level, its change within `window_seconds`,
    the width of its swing, or what it will be `ahead_seconds` later.

    `earlier`: it looks at the time before the incident. `fixed` is the value whatever the series does, where
    it only has to be there.
    """

    selector: Selector
    component: str = "level"
    factor: float = 1.0
    window_seconds: float = 0.0
    interval_seconds: float = 60.0
    ahead_seconds: float = 0.0
    earlier: bool = False
    counter: bool = False
    fixed: float | None = None
    function: str = ""

    @property
    def usual_value(self) -> float:
        """What it gives on an ordinary day."""
        return self.factor * self.usual(False)

    @property
    def unit(self) -> float:
        """An ordinary change or level."""
        return _USUAL_CHANGE

    def usual(self, calm: bool) -> float:
        if self.component == "change":
            return 0.0 if calm else _USUAL_CHANGE
        if self.component == "swing":
            return 0.0 if calm else 1.0
        return 1.0 if calm or (self.selector.metric or "").endswith(_YES_OR_NO) else _USUAL_LEVEL

    def component_region(self, region: Region) -> Region:
        wanted = region.scaled(1 / self.factor)
        return wanted.within(_NOT_NEGATIVE) if self.counter or self.component == "swing" else wanted

    def acted(self, act: Act, value: float) -> Act | None:
        """The act with this component; None where it was decided otherwise."""
        value = tidy(value)
        if self.selector.metric == "up" and self.component == "level" and value not in (0.0, 1.0):
            return None
        match self.component:
            case "there":
                return act
            case "change" if self.earlier:
                slope = value / self.window_seconds
                return _set(act, "earlier_slope", slope)
            case "change":
                return _set(act, "slope", value / self.window_seconds)
            case "swing":
                return self._swung(act, value)
            case "ahead":
                return self._heading(act, value)
            case _ if self.earlier:
                return _set(act, "earlier", value)
            case _ if act.level is not None and self._remembers(act.level, value):
                return _set(act, "earlier", value)
        return _set(act, "level", value)

    def value(self, act: Act) -> float | None:
        """What it gives under an act; None where that is not decided."""
        if self.component == "there":
            return self.fixed
        if self.component == "change":
            slope = act.earlier_slope if self.earlier else act.slope
            return None if slope is None else slope * self.window_seconds * self.factor
        if self.component == "level":
            if self.function in ("max_over_time", "min_over_time") and act.earlier is None:
                return None  # what the series was before may decide
            level = act.earlier if self.earlier else act.level
            return None if level is None else level * self.factor
        return None

    def _remembers(self, level: float, value: float) -> bool:
        """Whether the window can give a value that the series had before the incident."""
        if self.function == "max_over_time":
            return value > level
        return self.function == "min_over_time" and value < level

    def _swung(self, act: Act, value: float) -> Act | None:
        if act.swing or act.slope:
            return None
        if self.function in ("changes", "resets"):
            samples = max(1.0, self.window_seconds / self.interval_seconds)
            flips = value * (2 if self.function == "resets" else 1)
            every = 1 if flips < 1 else max(1, int(samples / (flips + 1)))
            return replace(act, level=act.level or 0.0, swing=1.0 if flips else 0.0, swing_every=every)
        width = 2 * (value**0.5 if self.function == "stdvar_over_time" else value)
        return replace(act, level=act.level or 0.0, swing=width, swing_every=1)

    def _heading(self, act: Act, value: float) -> Act | None:
        if act.slope is not None:
            return None
        if act.level is None:
            return replace(act, level=_USUAL_LEVEL, slope=(value - _USUAL_LEVEL) / self.ahead_seconds)
        return replace(act, slope=(value - act.level) / self.ahead_seconds)


def leaf(node: p.Expr, interval_seconds: float, lasts_seconds: float | None = None) -> Leaf | None:
    """The node as a leaf; None where more than one selector and one function is to be read. Windows longer
    than an incident that lasts for `lasts_seconds` are filled by it in part."""
    match node:
        case p.ParenExpr():
            return leaf(node.expr, interval_seconds, lasts_seconds)
        case p.VectorSelector():
            return Leaf(selector_of(node), earlier=_looks_back(node))
        case p.Call():
            return _ranged(node, interval_seconds, lasts_seconds)
    return None


def _ranged(node: p.Call, interval_seconds: float, lasts_seconds: float | None) -> Leaf | None:
    inside = next((one for one in node.args if isinstance(one, p.MatrixSelector | p.SubqueryExpr)), None)
    inner = (
        inside.vector_selector if isinstance(inside, p.MatrixSelector) else inside.expr if inside else None
    )
    if inside is None or not isinstance(inner, p.VectorSelector):
        return None
    name, window = node.func.name, seconds(inside.range)
    part = Leaf(
        selector_of(inner),
        window_seconds=window,
        interval_seconds=interval_seconds,
        earlier=_looks_back(inner) or (isinstance(inside, p.SubqueryExpr) and bool(inside.offset)),
        counter=name in _COUNTER,
        function=name,
    )
    if name in _CHANGES:
        filled = window if lasts_seconds is None else min(window, lasts_seconds)
        part = replace(part, window_seconds=filled)
        factor = {
            "increase": 1.0,
            "delta": 1.0,
            "idelta": interval_seconds / filled,
            "irate": 1 / filled,
        }.get(name, 1 / window)
        return replace(part, component="change", factor=factor)
    if name in _LEVELS:
        samples = max(1.0, window / interval_seconds)
        if name == "avg_over_time" and lasts_seconds is not None:
            return replace(part, factor=min(1.0, lasts_seconds / window))
        return replace(part, factor=samples if name == "sum_over_time" else 1.0)
    if name in _SWINGS:
        return replace(part, component="swing")
    if name in _THERE:
        fixed = 1.0 if name == "present_over_time" else max(1.0, window / interval_seconds)
        return replace(part, component="there", fixed=fixed)
    if name == "predict_linear" and (ahead := number(node.args[1])):
        return replace(part, component="ahead", ahead_seconds=ahead)
    return None


def _looks_back(node: p.VectorSelector) -> bool:
    return node.offset is not None and node.offset.total_seconds() > 0


def _set(act: Act, name: str, value: float) -> Act | None:
    now = getattr(act, name)
    if now is None:
        changed: dict[str, Any] = {name: value}
        return replace(act, **changed)
    return act if abs(now - value) <= 1e-9 * max(1.0, abs(value)) else None
