"""What is suspicious about an expression, whatever the verdict on it."""

from collections.abc import Iterator, Mapping, Sequence

import promql_parser as p

from opsconsole.errors import Nonsense
from opsconsole.promql import parse
from opsconsole.rehearse.model import Rule, Warned
from opsconsole.rehearse.schema import Schema
from opsconsole.rehearse.warnings import counters, divisions, matchers, percentages, units

__all__ = ["warnings"]

Recorded = Mapping[str, Sequence[Rule]]


def warnings(rule: Rule, schema: Schema, recorded: Recorded | None = None) -> list[Warned]:
    """What an author would want to be asked about this rule's expression, each once.

    `recorded` has the recording rules by the names that they make: what a name holds is read from there.
    Empty for what is not PromQL.
    """
    try:
        tree = parse(rule.expr)
    except Nonsense:
        return []
    return list(dict.fromkeys(_all(tree, schema, recorded or {})))


def _all(tree: p.Expr, schema: Schema, recorded: Recorded) -> Iterator[Warned]:
    yield from counters.warnings(tree, schema)
    yield from percentages.warnings(tree, recorded)
    yield from units.warnings(tree, schema)
    yield from divisions.warnings(tree, recorded)
    yield from matchers.warnings(tree, schema)
