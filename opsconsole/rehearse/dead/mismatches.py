"""Why two vectors never match."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import promql_parser as p

from opsconsole.rehearse.dead import words
from opsconsole.rehearse.dead.labels import Labels, Match
from opsconsole.rehearse.dead.shapes import bare
from opsconsole.rehearse.dead.vectors import Death

_SETS = frozenset(["and", "or", "unless"])


@dataclass(frozen=True, slots=True)
class _Apart:
    """A label on which no series of the two sides agree, and what that rests on."""

    label: str
    guess: str


def mismatch(node: p.BinaryExpr, left: Labels, right: Labels, match: Match) -> Death | None:
    """Why no series of one side agrees with any of the other on all labels that count."""
    found = sorted(_apart(left, right, match), key=lambda one: bool(one.guess))
    if not found:
        return None
    proven = [one for one in found if one.guess == found[0].guess]
    for lacks, has, side in ((right, left, node.rhs), (left, right, node.lhs)):
        labels = [one.label for one in proven if not lacks.may_have(one.label)]
        if labels:
            return _lacking(node, lacks, has, side, labels, found[0].guess)
    label = proven[0].label
    one, other = (words.matchers(labels.matchers.get(label, ())) for labels in (left, right))
    text = f"`{node.op}` matches on {label}, on which no series agree: {one or 'any value'} on the left, "
    text += f"{other or 'any value'} on the right"
    return Death("sides-never-match", text, node, _ignoring(node, match, [label]), found[0].guess)


def _apart(left: Labels, right: Labels, match: Match) -> Iterator[_Apart]:
    for label in sorted({*left.always, *right.always, *left.matchers, *right.matchers}):
        if match.counts(label) and (proof := left.unmatchable(right, label)):
            yield _Apart(label, proof.guess)


def _lacking(
    node: p.BinaryExpr, lacks: Labels, has: Labels, side: p.Expr, labels: list[str], guess: str
) -> Death:
    other = node.lhs if side is node.rhs else node.rhs
    aggregation = lacks.lost_to(labels[0])
    names = words.listed(labels)
    if aggregation is not None and (lacks.possible or (str(node.op) not in _SETS and _grouped(other))):
        dropped = [label for label in labels if lacks.lost_to(label) is aggregation]
        text = f"`{node.op}` matches on {words.listed(dropped)}, which {words.shown(aggregation)} has dropped"
        return Death("label-aggregated-away", text, aggregation, regrouped(aggregation, dropped), guess)
    match = Match.of(node)
    if aggregation is not None and match.on:
        text = f"`{node.op}` matches on {names}, which {words.shown(aggregation)} has dropped"
        return Death("label-aggregated-away", text, aggregation, regrouped(aggregation, labels), guess)
    none = lacks.possible is not None and not lacks.possible
    what = "has no labels" if none else f"never has {names}"
    text = f"{words.shown(side)} {what}, and {words.shown(other)} always has {names}"
    text = f"`{node.op}` matches nothing: {text}"
    correction = _on_nothing(node, lacks_left=side is node.lhs) if none else _ignoring(node, match, labels)
    return Death("sides-never-match", text, node, correction, guess)


def _grouped(node: p.Expr) -> bool:
    """Whether it is an aggregation by labels, perhaps compared or calculated with others."""
    node = bare(node)
    while isinstance(node, p.BinaryExpr):
        node = bare(node.lhs)
    return isinstance(node, p.AggregateExpr) and node.modifier is not None


def regrouped(node: p.AggregateExpr, labels: Iterable[str]) -> str:
    """The aggregation with these labels kept."""
    parts = [str(part) for part in (node.param, node.expr) if part is not None]
    modifier = node.modifier
    if modifier is not None and modifier.type == p.AggModifierType.Without:
        left = [label for label in modifier.labels if label not in set(labels)]
        return f"{node.op} without ({', '.join(left)})({', '.join(parts)})"
    by = [*(modifier.labels if modifier else ()), *labels]
    return f"{node.op} by ({', '.join(by)})({', '.join(parts)})"


def _on_nothing(node: p.BinaryExpr, *, lacks_left: bool) -> str:
    """The operator where one side has no labels: both sides match whatever labels they have."""
    if node.modifier is not None and node.modifier.matching is not None:
        return ""
    group = "" if str(node.op) in _SETS else " group_right()" if lacks_left else " group_left()"
    return _written(node, f"on(){group}")


def _ignoring(node: p.BinaryExpr, match: Match, labels: list[str]) -> str:
    """The operator where these labels do not count."""
    if not match.on:
        left_out = [*sorted(match.labels), *labels]
        return _written(node, f"ignoring({', '.join(left_out)}){_grouping(node)}")
    rest = [label for label in sorted(match.labels) if label not in labels]
    return _written(node, f"on({', '.join(rest)}){_grouping(node)}")


def _grouping(node: p.BinaryExpr) -> str:
    modifier = node.modifier
    if modifier is None or modifier.group_labels is None:
        return ""
    group = "group_left" if modifier.card == p.VectorMatchCardinality.ManyToOne else "group_right"
    return f" {group}({', '.join(modifier.group_labels)})"


def _written(node: p.BinaryExpr, modifiers: str) -> str:
    truth = "bool " if node.modifier and node.modifier.return_bool else ""
    return f"{node.lhs} {node.op} {truth}{modifiers} {node.rhs}"
