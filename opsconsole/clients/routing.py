"""Where does an alert go? The running Alertmanager configuration, evaluated here.

    config = AlertmanagerConfig.parse(text)      # config.original of GET /api/v2/status
    config.routes({"alertname": "X", "severity": "critical"})
    config.recipients({"alertname": "X", "severity": "critical"})

Nothing here does I/O. Reading of matchers, inheritance and validation are amlint's Router (which mirrors
Alertmanager's dispatch); `amtool config routes test` is the reference that the tests compare with.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import yaml
from amlint.goyaml import keep_strings
from amlint.linter import route_cycle
from amlint.routing import Inhibitor, Router, RoutingError

from opsconsole.clients.inhibition import (
    Inhibition,
    InhibitRule,
    inhibitions,
    possible_inhibitions,
)
from opsconsole.clients.lesser import WrongWayRound
from opsconsole.clients.matching import Labels, index, near_miss
from opsconsole.clients.muting import TimeInterval, never_sends
from opsconsole.clients.receivers import Target, targets
from opsconsole.clients.shape import INHIBIT_RULE, ROUTE, check, mappings
from opsconsole.errors import Nonsense

_WHERE = "Alertmanager's configuration"
_DURATION = re.compile(r"(\d+)(ms|[ywdhms])")
_UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the tree with its settings after inheritance.

    `path` has the matchers of each step below the root, as the configuration writes them; empty for the
    root itself. `group_by` is `("...",)` where every label groups. The running configuration does not
    tell `group_by: []` from none at all, so there a child seems to inherit what Alertmanager resets.
    """

    receiver: str
    path: tuple[str, ...]
    group_by: tuple[str, ...]
    group_wait_seconds: float
    group_interval_seconds: float
    repeat_interval_seconds: float
    continue_: bool
    mute_time_intervals: tuple[str, ...] = ()
    active_time_intervals: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " → ".join(("root", *self.path))

    def without(self, intervals: Collection[str]) -> "Route":
        """The route as it would be without these time intervals; its active ones hold until all are named."""
        mute = tuple(name for name in self.mute_time_intervals if name not in intervals)
        active = self.active_time_intervals if set(self.active_time_intervals) - set(intervals) else ()
        return replace(self, mute_time_intervals=mute, active_time_intervals=active)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A route that an alert does not come to, though little keeps it from there: `because` says what."""

    route: Route
    because: str


@dataclass(slots=True)
class _Node:
    """A route within the compiled tree; `children` has a bit for each child's number."""

    route: Route
    matchers: Sequence[Any]
    children: int = 0


class AlertmanagerConfig:
    """A running Alertmanager's configuration, compiled once; a label set then takes microseconds."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._targets = _receivers(document)
        self._intervals = _intervals(document)
        self._never_send: dict[tuple[object, ...], bool] = {}
        self._muted_next: dict[tuple[object, ...], tuple[datetime, str] | None] = {}
        self._nodes: list[_Node] = []
        self._grow(_root(document))
        self._passed = index([node.matchers for node in self._nodes])
        self._inhibit_rules = _inhibit_rules(document)

    @classmethod
    def parse(cls, text: str) -> "AlertmanagerConfig":
        """Read the YAML of `config.original`.

        Raises Nonsense for whatever cannot be evaluated exactly as Alertmanager does: broken YAML,
        settings not known here, regular expressions with no exact counterpart.
        """
        try:
            document = yaml.load(text, Loader=_Loader)  # noqa: S506 - derived from the safe one
            if not isinstance(document, dict):
                raise Nonsense("it is not a mapping", where=_WHERE)
            if route_cycle(document.get("route")):
                raise Nonsense("a route contains itself", where=_WHERE)
            return cls(document)
        except RoutingError as error:
            raise Nonsense(str(error), where=_WHERE, hint="`amtool config routes test` can tell.") from None
        except (yaml.YAMLError, ValueError) as error:
            raise Nonsense(f"it is not YAML: {' '.join(str(error).split())}", where=_WHERE) from None
        except RecursionError:
            raise Nonsense("it is nested too deeply", where=_WHERE) from None

    @property
    def receivers(self) -> Mapping[str, tuple[Target, ...]]:
        """Every receiver's targets, by its name, in the configuration's order."""
        return self._targets

    def routes(self, labels: Labels) -> list[Route]:
        """The routes that an alert with these labels ends on, in Alertmanager's order; never empty."""
        return list(self._ends(0, self._passed(labels)))

    def recipients(self, of: str | Labels) -> tuple[Target, ...]:
        """Whom a receiver (by name), or an alert (by its labels), reaches; each target once.

        A receiver with no integration reaches nobody. Raises Nonsense for a receiver that does not exist.
        """
        if isinstance(of, str):
            if of not in self._targets:
                raise Nonsense(
                    f"no receiver is named {of}", where=_WHERE, hint=f"It has: {', '.join(self._targets)}."
                )
            return self._targets[of]
        found = (target for route in self.routes(of) for target in self._targets[route.receiver])
        return tuple(dict.fromkeys(found))

    def passed_over(self, labels: Labels) -> list[PassedOver]:
        """Where an alert with these labels would end, too, were it not that a route before takes it and does
        not continue, or that matchers refuse it by little: by the case, a letter, a label that it has not."""
        return list(dict.fromkeys(self._passed_over(0, self._passed(labels), labels)))

    def inhibited(self, labels: Labels, active: Iterable[Labels]) -> list[Inhibition]:
        """What mutes an alert with these labels while the `active` alerts (their label sets) fire."""
        return inhibitions(self._inhibit_rules, labels, list(active))

    def wrong_way_round(self, alerts: Iterable[Labels]) -> WrongWayRound:
        """Which of these alerts mute more severe ones."""
        return WrongWayRound(self._inhibit_rules, alerts)

    def could_inhibit(self, labels: Labels, candidates: Iterable[Labels]) -> list[Inhibition]:
        """What could mute it, were the candidates to fire.

        For label sets known in part, as alert rules give them: a label that is not given may have any
        value. So this is never too short, and may be too long.
        """
        return possible_inhibitions(self._inhibit_rules, labels, list(candidates))

    def muted_now(self, route: Route, at: datetime) -> str | None:
        """Why the route notifies nobody at `at` (an aware time), by its time intervals; None if it does."""
        for name in route.mute_time_intervals:
            if self._intervals[name].contains(at):
                return f"muted by the time interval {name}"
        active = route.active_time_intervals
        if active and not any(self._intervals[name].contains(at) for name in active):
            return f"outside its active time intervals ({', '.join(active)})"
        return None

    def muted_next(self, route: Route, at: datetime, until: datetime) -> tuple[datetime, str] | None:
        """The first moment after `at` and before `until` (aware times) at which the route notifies nobody, by
        its time intervals, and why."""
        key = route.mute_time_intervals, route.active_time_intervals, at, until
        if key not in self._muted_next:
            named = (self._intervals[name] for name in (*key[0], *key[1]))
            turns = {turn for one in named for turn in one.turns(at, until) if at < turn < until}
            muted = ((turn, reason) for turn in sorted(turns) if (reason := self.muted_now(route, turn)))
            self._muted_next[key] = next(muted, None)
        return self._muted_next[key]

    def never_sends(self, route: Route, today: date) -> bool:
        """Whether its time intervals mute the route at every moment from today on."""
        mute = [self._intervals[name] for name in route.mute_time_intervals]
        active = [self._intervals[name] for name in route.active_time_intervals]
        key = route.mute_time_intervals, route.active_time_intervals, today
        if key not in self._never_send:
            self._never_send[key] = bool(mute or active) and never_sends(mute, active, today)
        return self._never_send[key]

    def _ends(self, number: int, passed: int) -> Iterator[Route]:
        node = self._nodes[number]
        entered = node.children & passed
        if not entered:
            yield node.route
        while entered:
            first = entered & -entered
            child = first.bit_length() - 1
            yield from self._ends(child, passed)
            entered = entered ^ first if self._nodes[child].route.continue_ else 0

    def _passed_over(self, number: int, passed: int, labels: Labels) -> Iterator[PassedOver]:
        """Below a route that the alert enters."""
        children, taken_by = self._nodes[number].children, None
        while children:
            first = children & -children
            children ^= first
            child = first.bit_length() - 1
            node = self._nodes[child]
            because = ""
            if not first & passed:
                because = near_miss(node.matchers, labels)
            elif taken_by:
                because = f"{taken_by} stands before it, takes the alert, and has no `continue: true`"
            else:
                yield from self._passed_over(child, passed, labels)
                taken_by = None if node.route.continue_ else node.route
            if because:
                yield from (PassedOver(route, because) for route in self._ends(child, passed))

    def _grow(self, branch: "_Branch") -> int:
        """Number the branch's routes in definition order, and check what they refer to."""
        number = len(self._nodes)
        route = branch.route()
        _known(route.receiver, self._targets, "receiver")
        for name in (*route.mute_time_intervals, *route.active_time_intervals):
            _known(name, self._intervals, "time interval")
        node = _Node(route, branch.compiled.matchers)
        self._nodes.append(node)
        for child in branch.children():
            node.children |= 1 << self._grow(child)
        return number


@dataclass(frozen=True, slots=True)
class _Branch:
    """A route as written beside the same one as amlint compiled it."""

    written: Mapping[str, Any]
    compiled: Any
    path: tuple[str, ...] = field(default=())

    def route(self) -> Route:
        options = self.compiled.opts
        return Route(
            receiver=options.receiver,
            path=self.path,
            group_by=options.group_by,
            group_wait_seconds=_seconds(options.group_wait),
            group_interval_seconds=_seconds(options.group_interval),
            repeat_interval_seconds=_seconds(options.repeat_interval),
            continue_=self.compiled.continue_,
            mute_time_intervals=options.mute_time_intervals,
            active_time_intervals=options.active_time_intervals,
        )

    def children(self) -> Iterator["_Branch"]:
        written = mappings(self.written, "routes", self.compiled.path)
        for child, compiled in zip(written, self.compiled.routes, strict=True):
            yield _Branch(child, compiled, (*self.path, _written_matchers(child)))


class _Loader(yaml.CSafeLoader):
    """The C loader, four times as fast as amlint's own, with Go's idea of what is a string."""

    def construct_document(self, node: yaml.Node) -> Any:
        return super().construct_document(keep_strings(node))


def _known(name: str, names: Iterable[str], kind: str) -> None:
    if name not in names:
        raise Nonsense(f"a route names the {kind} {name}, which is not there", where=_WHERE)


def _receivers(document: Mapping[str, Any]) -> dict[str, tuple[Target, ...]]:
    return {
        str(entry.get("name")): tuple(targets(entry)) for entry in mappings(document, "receivers", _WHERE)
    }


def _intervals(document: Mapping[str, Any]) -> dict[str, TimeInterval]:
    return {
        name: TimeInterval(name, mappings(entry, "time_intervals", name))
        for setting in ("mute_time_intervals", "time_intervals")
        for entry in mappings(document, setting, _WHERE)
        for name in [str(entry.get("name"))]
    }


def _root(document: Mapping[str, Any]) -> _Branch:
    written = document.get("route")
    if not isinstance(written, dict):
        raise Nonsense("it has no root route", where=_WHERE)
    _check_routes(written, "route")
    return _Branch(written, Router(written)._root)


def _check_routes(route: Mapping[str, Any], where: str) -> None:
    check(route, ROUTE, where)
    for number, child in enumerate(mappings(route, "routes", where)):
        _check_routes(child, f"{where}.routes[{number}]")


def _inhibit_rules(document: Mapping[str, Any]) -> list[InhibitRule]:
    written = mappings(document, "inhibit_rules", _WHERE)
    for number, rule in enumerate(written):
        check(rule, INHIBIT_RULE, f"inhibit_rules[{number}]")
    return [
        InhibitRule(_rule_name(rule), compiled.source, compiled.target, compiled.equal)
        for rule, compiled in zip(written, Inhibitor(written)._rules, strict=True)
    ]


def _rule_name(rule: Mapping[str, Any]) -> str:
    name = rule.get("name")
    sides = f"{_written_matchers(rule, 'source_')} mutes {_written_matchers(rule, 'target_')}"
    equal = ", ".join(map(str, rule.get("equal") or ()))
    sides += f" where equal on {equal}" if equal else ", whatever else they have"
    return f"{name}: {sides}" if name else sides


def _written_matchers(node: Mapping[str, Any], side: str = "") -> str:
    """The matchers of a route, or of one side of an inhibit rule, in one line; for people."""
    written = [f'{k}="{v}"' for k, v in (node.get(f"{side}match") or {}).items()]
    written += [f'{k}=~"{v}"' for k, v in (node.get(f"{side}match_re") or {}).items()]
    written += map(str, node.get(f"{side}matchers") or ())
    return ", ".join(written) or "every alert"


def _seconds(duration: str) -> float:
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _DURATION.findall(duration))
