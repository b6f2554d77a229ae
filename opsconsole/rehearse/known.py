"""What can be proven of loaded rules and of panels by the series that a running Prometheus holds."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import promql_parser as p

from opsconsole.promql import parse, selectors
from opsconsole.promql.trees import walk
from opsconsole.rehearse import dead
from opsconsole.rehearse.load.environment import as_rule, from_environment
from opsconsole.rehearse.model import Panel, Reason, Rule, Warned
from opsconsole.rehearse.schema import PARTS, Metric, Schema
from opsconsole.rehearse.warnings import warnings

if TYPE_CHECKING:
    from opsconsole.clients.prometheus import Prometheus
    from opsconsole.clients.prometheus import Rule as Loaded

_PAST = "past_of_"


@dataclass(frozen=True)
class Known:
    """The series of the last fifteen days, whether they are scraped still or not, and the recording rules
    that make some of them. What is asked of it is a loaded rule, or a query of a panel."""

    schema: Schema
    recorded: Mapping[str, Sequence[Rule]]

    def never(self, subject: "Loaded | str") -> list[Reason]:
        """Why it can never be true, or a query never have data; empty where that is not proven. What nobody
        has exported in all that time counts too, unless it is read of another time than the present.

        Raises Nonsense for what is not PromQL to the parser here.
        """
        rule = _rule(subject)
        present = _present(parse(rule.expr))
        if found := dead.prove(rule, self.schema, self.recorded):
            return found
        past = {one.metric for one in selectors(present) if one.metric and one.metric.startswith(_PAST)}
        metrics = {**self.schema.metrics, **{name: Metric(name=name, declared=True) for name in past}}
        schema = replace(self.schema, metrics=metrics)
        return dead.unfed(replace(rule, expr=present.prettify()), schema, self.recorded)

    def warnings(self, subject: "Loaded | str") -> list[Warned]:
        return warnings(_rule(subject), self.schema, self.recorded)

    def has_series(self, metric: str) -> bool:
        known = self.schema.metrics.get(metric)
        return known is not None and bool(known.series)

    def scrape_interval_seconds(self, metric: str) -> float | None:
        """The shortest at which its series are scraped, None where that is not known."""
        known = self.schema.metrics.get(metric)
        return known.scrape_interval_seconds if known else None

    def values(self, metric: str, label: str) -> frozenset[str]:
        """The values of the label on the metric's series, those of the first hundred if there are more."""
        known = self.schema.metrics.get(metric)
        return (
            frozenset(series[label] for series in known.series if label in series) if known else frozenset()
        )

    def without(self, metrics: Collection[str]) -> "Known":
        """The same, had these metrics just gone."""
        gone = {
            name: replace(known, last_seen=0.0, declared=False) if name in metrics else known
            for name, known in self.schema.metrics.items()
        }
        families = {name: kind for name, kind in self.schema.families.items() if not _of(name, metrics)}
        return replace(self, schema=replace(self.schema, metrics=gone, families=families))

    def labels(self, metric: str, having: str) -> frozenset[str]:
        """The names of the labels of those of the metric's series that have this one."""
        known = self.schema.metrics.get(metric)
        series = known.series if known else ()
        return frozenset().union(*(labels.keys() for labels in series if having in labels))

    def without_labels(self, gone: Collection[tuple[str, str]]) -> "Known":
        """The same, had these metrics none of these labels: pairs of metric and label."""
        metrics = dict(self.schema.metrics)
        for name, label in gone:
            known, none = metrics[name], frozenset({label})
            series = tuple({key: one[key] for key in one if key != label} for one in known.series)
            metrics[name] = replace(
                known, series=series, possible=known.possible - none, always=known.always - none
            )
        return replace(self, schema=replace(self.schema, metrics=metrics))


async def known(
    prometheus: "Prometheus", loaded: Iterable["Loaded"] = (), queries: Iterable[str] = ()
) -> Known:
    """What these loaded rules and queries ask for; of the recording rules among them, those that the others
    rest on. Raises Unseen, and Nonsense where one is not PromQL."""
    rules = [as_rule(rule) for rule in loaded]
    recorded: dict[str, list[Rule]] = {}
    for rule in rules:
        if rule.record:
            recorded.setdefault(rule.record, []).append(rule)
    queries = list(queries)
    alerts = [rule for rule in rules if rule.alert]
    resting = _resting([*(rule.expr for rule in alerts), *queries], recorded)
    if not alerts and not queries:
        return Known(Schema(origin="environment"), {})
    schema = await from_environment(
        prometheus, [*alerts, *resting], [Panel(title="", queries=tuple(queries))]
    )
    metrics = {name: replace(known, last_seen=None) for name, known in schema.metrics.items()}
    return Known(replace(schema, metrics=metrics), {rule.record: recorded[rule.record] for rule in resting})


def _rule(subject: "Loaded | str") -> Rule:
    return Rule(alert="panel", expr=subject) if isinstance(subject, str) else as_rule(subject)


def _resting(expressions: Iterable[str], recorded: Mapping[str, Sequence[Rule]]) -> list[Rule]:
    """The recording rules that these expressions read, directly or through others."""
    found: dict[str, Sequence[Rule]] = {}
    left = list(expressions)
    while left:
        for name in (one.metric or "" for one in selectors(parse(left.pop()))):
            if name in recorded and name not in found:
                found[name] = recorded[name]
                left.extend(rule.expr for rule in recorded[name])
    return [rule for rules in found.values() for rule in rules]


def _present(tree: p.Expr) -> p.Expr:
    """The expression with other names for the metrics that it reads of another time than the present; one
    that is always there where a whole part of it does so."""

    def renamed(node: p.Expr) -> p.Expr | None:
        if not isinstance(node, p.VectorSelector) or not node.name or (node.offset, node.at) == (None, None):
            return None
        return p.parse(_PAST + node.prettify())

    if any(isinstance(node, p.SubqueryExpr) and (node.offset or node.at) for node in walk(tree)):
        return p.parse("vector(1)")
    return p.transform(tree, None, renamed)


def _of(family: str, metrics: Collection[str]) -> bool:
    return family in metrics or any(family + part in metrics for part in PARTS)
