"""Series gathered metric by metric: all label names exactly, of the series themselves no more than needed."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from opsconsole import promql
from opsconsole.errors import Nonsense
from opsconsole.promql import Matcher, Selector
from opsconsole.rehearse.model import Panel, Rule
from opsconsole.rehearse.schema import Kind, Metric

MOST = 100
"""Of one metric so many label sets are kept, and so many more for each way in which it is selected."""

_WITHIN_ONE = frozenset({"le", "quantile"})
"""Labels that tell apart the series of one histogram or summary: they are kept together."""

Test = Callable[[Mapping[str, str]], bool]


def expressions(rules: Iterable[Rule], panels: Iterable[Panel]) -> list[str]:
    """All PromQL that rules and panels hold."""
    return [*(rule.expr for rule in rules), *(query for panel in panels for query in panel.queries)]


def asked(expressions: Iterable[str]) -> list[Selector]:
    """All selectors of these expressions, each once; what is not PromQL has none."""
    found: dict[Selector, None] = {}
    for expr in expressions:
        try:
            found.update(dict.fromkeys(promql.selectors(promql.parse(expr))))
        except Nonsense:
            continue
    return list(found)


@dataclass(slots=True)
class _Known:
    tests: tuple[Test, ...] = ()
    possible: set[str] = field(default_factory=set)
    always: set[str] | None = None
    kept: dict[frozenset[tuple[str, str]], Mapping[str, str]] = field(default_factory=dict)
    chosen: set[frozenset[tuple[str, str]]] = field(default_factory=set)
    counts: Counter[int] = field(default_factory=Counter)
    jobs: set[str] = field(default_factory=set)

    def add(self, labels: Mapping[str, str]) -> None:
        self.possible.update(labels)
        self.jobs.add(labels.get("job", ""))
        self.always = set(labels) if self.always is None else self.always & labels.keys()
        one = frozenset((name, value) for name, value in labels.items() if name not in _WITHIN_ONE)
        if one not in self.chosen:
            passed = [-1, *(place for place, test in enumerate(self.tests) if test(labels))]
            if all(self.counts[place] >= MOST for place in passed):
                return
            self.counts.update(passed)
            self.chosen.add(one)
        self.kept.setdefault(frozenset(labels.items()), labels)


class Gathered:
    """Takes series one by one. Of a metric with very many, those that `selectors` choose are kept as well as
    the first; `possible` and `always` count them all."""

    def __init__(self, selectors: Iterable[Selector] = ()) -> None:
        self._selectors: dict[str, dict[tuple[Matcher, ...], None]] = {}
        for selector in selectors:
            if selector.metric and selector.matchers:
                self._selectors.setdefault(selector.metric, {})[selector.matchers] = None
        self._known: dict[str, _Known] = {}

    def add(self, name: str, labels: Mapping[str, str]) -> None:
        """One series; its labels without `__name__`. A label with an empty value is none that it carries, and
        one that it may."""
        if name not in self._known:
            tests = tuple(selects(matchers) for matchers in self._selectors.get(name, ()))
            self._known[name] = _Known(tests)
        self._known[name].add({label: value for label, value in labels.items() if value})
        self._known[name].possible.update(labels)

    def names(self) -> set[str]:
        """The metrics that have series."""
        return set(self._known)

    def jobs(self, name: str) -> set[str]:
        """The jobs of the metric's series."""
        return self._known[name].jobs if name in self._known else set()

    def always(self, name: str) -> set[str]:
        """The labels that every series of the metric carries, by those that were added."""
        return set(self._known[name].always or ()) if name in self._known else set()

    def correct(self, name: str, possible: Iterable[str], not_always: Iterable[str]) -> None:
        """Take in labels of series that were not added one by one."""
        known = self._known.setdefault(name, _Known())
        known.possible.update(possible)
        known.always = (known.always or set()) - set(not_always)

    def metric(self, name: str, kind: Kind) -> Metric:
        """What was gathered under a name; one without series where there was nothing."""
        known = self._known.get(name, _Known())
        return Metric(
            name=name,
            kind=kind,
            series=tuple(known.kept.values()),
            possible=frozenset(known.possible),
            always=frozenset(known.always or ()),
        )


def selects(matchers: Iterable[Matcher]) -> Test:
    """Whether a label set passes all of the matchers; a regular expression that Go refuses passes all."""
    tests = [(matcher.label, _passes(matcher), matcher.operator.startswith("!")) for matcher in matchers]
    return lambda labels: all(passes(labels.get(label, "")) != negated for label, passes, negated in tests)


def _passes(matcher: Matcher) -> Callable[[str], bool]:
    if matcher.operator in ("=", "!="):
        return lambda value: value == matcher.value
    from amlint.routing import RoutingError, compile_regex  # Go's regular expressions in Python's

    try:
        pattern = compile_regex(matcher.value)
    except RoutingError:
        return lambda value: matcher.operator == "=~"
    return lambda value: pattern.fullmatch(value) is not None
