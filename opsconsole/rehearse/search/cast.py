"""Which series play a part: label sets that exist where they are known, else label sets that fit each
other."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, islice

import promql_parser as p

from opsconsole.promql import Matcher, Selector, selectors
from opsconsole.promql.trees import children, walk
from opsconsole.rehearse.model import SeriesKey
from opsconsole.rehearse.schema import Schema
from opsconsole.rehearse.search.acts import key_of
from opsconsole.rehearse.search.texts import accepted, examples, takes

_USUAL = {"job": "service", "instance": "127.0.0.1:9090", "le": "1", "quantile": "0.99"}
_VARIED_FIRST = ("instance", "pod", "node", "host", "container", "device", "name", "customer_id")
_ONES_OWN = frozenset({"le", "quantile"})
_MOST_REAL = 200
_ANY_LABEL = "id"
"""A label that a metric may have where its labels are not known."""


class Cast:
    """Chooses label sets for the selectors of one rule and of the recording rules that it rests on.

    `bare`: where the labels are not known, series carry none but those that a matcher or a join needs.
    """

    def __init__(self, trees: Sequence[p.Expr], schema: Schema, *, bare: bool = False) -> None:
        self._schema = schema
        self._bare = bare
        self._selectors = [selector for tree in trees for selector in selectors(tree)]
        self.shared, self._dropped, self._everything = _shared_labels(trees)
        self._wishes = _wishes(trees, self._selectors)

    def series(
        self,
        selector: Selector,
        bound: Mapping[str, str],
        forced: Mapping[str, str],
        taken: Collection[SeriesKey],
    ) -> Iterator[SeriesKey]:
        """Label sets that the selector finds: the one that fits best what is bound, then others, those that
        take part already left out; some ten at most."""
        for metric in self._metrics(selector):
            fitting = list(islice(self._fitting(metric, selector, bound, forced), 8))
            varied = (other for labels in fitting for other in self._varied(metric, selector, labels, forced))
            seen = set()
            for labels in chain(fitting, varied):
                key = key_of(metric, labels)
                if key not in seen and (labels is fitting[0] or key not in taken):
                    seen.add(key)
                    yield key

    def bounds(self, metric: str) -> list[str]:
        """The values of `le` that the metric's series have, ascending, `+Inf` last; none where not known."""
        known = self._schema.metrics.get(metric)
        found = {each["le"] for each in known.series if "le" in each} if known else set()
        return sorted(found, key=float)

    def label_to_vary(self, selector: Selector, kept: Collection[str]) -> Iterator[str]:
        """Labels in which several series that a selector finds can differ, the likely ones first."""
        fixed = (
            {matcher.label for matcher in selector.matchers if matcher.operator == "="} | {*kept} | _ONES_OWN
        )
        names = self._names(selector.metric or "", selector)
        yield from (name for name in _VARIED_FIRST if name in names and name not in fixed)
        yield from sorted(names - fixed - {*_VARIED_FIRST})
        if self._schema.origin == "guess":
            yield _ANY_LABEL

    def _metrics(self, selector: Selector) -> list[str]:
        if selector.metric is not None:
            return [selector.metric]
        named = [matcher for matcher in selector.matchers if matcher.label == "__name__"]
        known = [name for name in self._schema.metrics if all(takes(matcher, name) for matcher in named)]
        return (known or [name for name in accepted(named, ["made_up_metric"]) if name])[:2]

    def _names(self, metric: str, selector: Selector) -> set[str]:
        known = self._schema.metrics.get(metric)
        if known and known.series and self._schema.origin != "guess":
            return set(known.possible) | (self._asked(metric, selector) & self._schema.added)
        if self._bare:
            return {
                m.label for one in (*self._selectors, selector) if one.metric == metric for m in _wanted(one)
            }
        names = self._asked(metric, selector) | {"job", "instance"}
        if self._everything or known is None:
            return names
        return names | (set(known.possible) - _ONES_OWN)

    def _asked(self, metric: str, selector: Selector) -> set[str]:
        """The labels that the rule's expressions ask this metric for."""
        own = {m.label for one in (*self._selectors, selector) if one.metric == metric for m in _wanted(one)}
        others = self.shared - _ONES_OWN
        if self._everything:
            anyones = {m.label for one in self._selectors for m in _wanted(one)}
            others = others | (anyones - _ONES_OWN - self._dropped)
        return (own | others) - {"__name__"}

    def _fitting(
        self, metric: str, selector: Selector, bound: Mapping[str, str], forced: Mapping[str, str]
    ) -> Iterator[dict[str, str]]:
        matchers: dict[str, list[Matcher]] = {}
        for matcher in selector.matchers:
            if matcher.label != "__name__":
                matchers.setdefault(matcher.label, []).append(matcher)
        choices = 4 if any(one.operator != "=" for asked in matchers.values() for one in asked) else 1
        for template, real in self._templates(metric, selector, matchers, bound):
            for choice in range(choices):
                labels = self._dressed(template, real, matchers, bound, forced, choice)
                if labels is not None:
                    yield labels

    def _templates(
        self, metric: str, selector: Selector, matchers: Mapping[str, list[Matcher]], bound: Mapping[str, str]
    ) -> Iterator[tuple[dict[str, str], bool]]:
        known = self._schema.metrics.get(metric)
        real = known.series[:_MOST_REAL] if known and self._schema.origin != "guess" else ()

        def misfit(labels: Mapping[str, str]) -> tuple[int, int]:
            unmet = sum(
                not all(takes(one, labels.get(name, "")) for one in asked) for name, asked in matchers.items()
            )
            return unmet, sum(labels.get(name, value) != value for name, value in bound.items())

        if real:
            added = self._asked(metric, selector) & self._schema.added
            for labels in sorted(real, key=misfit)[:6]:
                yield {**{name: self._usual(name) for name in added}, **labels}, True
            return
        yield {name: self._usual(name) for name in self._names(metric, selector)}, False

    def _usual(self, label: str) -> str:
        return self._wishes.get(label, _USUAL.get(label, f"{label}-1"))

    def _dressed(
        self,
        template: Mapping[str, str],
        real: bool,
        matchers: Mapping[str, list[Matcher]],
        bound: Mapping[str, str],
        forced: Mapping[str, str],
        choice: int,
    ) -> dict[str, str] | None:
        """The template's labels changed so that the matchers take them; None where they cannot.

        Of several values for a label that is matched by a regular expression, the `choice`th is taken.
        """
        labels = dict(template)
        if not real and _ANY_LABEL in forced:
            labels[_ANY_LABEL] = forced[_ANY_LABEL]
        for name in labels:
            if name in forced:
                labels[name] = forced[name]
            elif name in bound and (self._everything or name in self.shared or not real):
                labels[name] = bound[name]
        for name, asked in matchers.items():
            if all(takes(one, labels.get(name, "")) for one in asked) and (choice == 0 or name in template):
                continue
            possible = accepted(
                asked, [bound.get(name, ""), template.get(name, ""), *_written(self._selectors, name)]
            )
            possible = [value for value in possible if value or name not in template] or possible
            if not possible:
                return None
            labels[name] = possible[min(choice, len(possible) - 1)]
        return labels

    def _varied(
        self, metric: str, selector: Selector, labels: Mapping[str, str], forced: Mapping[str, str]
    ) -> Iterator[dict[str, str]]:
        """The same label set but for one label."""
        elsewhere = {m.label for one in self._selectors if one.metric == metric for m in one.matchers}
        order = [name for name in sorted(elsewhere) if name not in self.shared]
        order += list(self.label_to_vary(selector, kept=()))
        for name in dict.fromkeys(order):
            asked = [matcher for matcher in selector.matchers if matcher.label == name]
            if (
                name in forced
                or name in _ONES_OWN
                or name == "__name__"
                or (name not in labels and not asked)
            ):
                continue
            now = labels.get(name, "")
            wished = [*_written(self._selectors, name), "other", f"{now}-2", f"{now}-3"]
            for value in accepted(asked, [one for one in wished if one != now])[:3]:
                if value and value != now:
                    yield {**labels, name: value}


def _wanted(selector: Selector) -> list[Matcher]:
    """The matchers of labels that should be there: not those that ask for none."""
    return [m for m in selector.matchers if not (m.operator == "=" and not m.value)]


def _written(found: Sequence[Selector], label: str) -> list[str]:
    """The values that the rule itself gives for a label."""
    return [m.value for one in found for m in one.matchers if m.label == label and m.operator == "="]


def _shared_labels(trees: Sequence[p.Expr]) -> tuple[frozenset[str], frozenset[str], bool]:
    """The labels that a rule's expressions group by and match on, those that they leave out on the way, and
    whether some match is on all labels."""
    names: set[str] = set()
    dropped: set[str] = set()
    everything = False
    for node in (node for tree in trees for node in walk(tree)):
        if isinstance(node, p.AggregateExpr) and node.modifier:
            by = str(node.modifier.type).endswith("By")
            (names if by else dropped).update(node.modifier.labels)
        elif isinstance(node, p.BinaryExpr) and selectors(node.lhs) and selectors(node.rhs):
            matching = node.modifier.matching if node.modifier else None
            if matching is not None and str(matching.type).endswith("Include"):
                names.update(matching.labels)
            else:
                everything = everything or not (_grouped(node.lhs) and _grouped(node.rhs))
                dropped.update(matching.labels if matching is not None else ())
            names.update((node.modifier.group_labels or ()) if node.modifier else ())
        elif isinstance(node, p.Call) and node.func.name == "label_replace":
            names.update(_text(argument) for argument in (node.args[1], node.args[3]))
    return frozenset(names - {""}), frozenset(dropped), everything


def _grouped(node: p.Expr) -> bool:
    """Whether all that an expression reads is aggregated by labels that are named, or into one."""
    match node:
        case p.VectorSelector() | p.MatrixSelector():
            return False
        case p.AggregateExpr():
            return node.modifier is None or str(node.modifier.type).endswith("By")
    return all(_grouped(child) for child in children(node))


def _wishes(trees: Sequence[p.Expr], found: Sequence[Selector]) -> dict[str, str]:
    """Values that labels should have by themselves: what matchers fix, and what label_replace makes of
    them."""
    wishes: dict[str, str] = {}
    for selector in found:
        for matcher in selector.matchers:
            if matcher.operator == "=" and matcher.value and matcher.label not in _ONES_OWN:
                wishes.setdefault(matcher.label, matcher.value)
    for node in (node for tree in trees for node in walk(tree)):
        if isinstance(node, p.Call) and node.func.name == "label_replace":
            target, made, source, pattern = (_text(argument) for argument in node.args[1:5])
            given = wishes.get(source, _USUAL.get(source, f"{source}-1"))
            whole = Matcher(source, "=~", pattern)
            if not takes(whole, given):
                given = next((one for one in examples(pattern) if one), "")
            if given and (match := re.compile(pattern).fullmatch(given) if takes(whole, given) else None):
                wishes[source] = given
                wishes.setdefault(target, _expanded(made, match))
    return wishes


def _expanded(template: str, match: re.Match[str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda reference: _group(match, reference[1]), template)


def _group(match: re.Match[str], name: str) -> str:
    try:
        return match[int(name)] or "" if name.isdigit() else match[name] or ""
    except IndexError:
        return ""


def _text(node: p.Expr) -> str:
    return node.val if isinstance(node, p.StringLiteral) else ""
