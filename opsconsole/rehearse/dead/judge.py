"""What an expression can give: its tree walked from the leaves up, each part judged once."""

from collections.abc import Sequence
from dataclasses import replace

import promql_parser as p

from opsconsole.errors import Nonsense
from opsconsole.promql import parse
from opsconsole.promql.trees import selector
from opsconsole.rehearse.dead import aggregates, calls, operators, series
from opsconsole.rehearse.dead.arithmetic import negated
from opsconsole.rehearse.dead.ranges import exactly
from opsconsole.rehearse.dead.series import World
from opsconsole.rehearse.dead.shapes import keyed
from opsconsole.rehearse.dead.vectors import CERTAIN, UNKNOWN, Number, Result, Term, Value, Window
from opsconsole.rehearse.model import Rule


class Judge:
    """Judges the parts of expressions in one world. `above` are the recording rules that are being judged."""

    def __init__(self, world: World, above: Sequence[str] = ()) -> None:
        self.world = world
        self._above = tuple(above)
        self._found: dict[int, tuple[p.Expr, Term]] = {}
        self._records: dict[int, Result | None] = {}

    def term(self, node: p.Expr) -> Term:
        known = self._found.get(id(node))
        if known is None:
            known = self._found[id(node)] = node, self._judged(node)
        return known[1]

    def result(self, node: p.Expr) -> Result:
        """The expression as an instant vector; a scalar is one too."""
        found = self.term(node)
        if isinstance(found, Number):
            one = replace(CERTAIN.vectors[0], value=found.value)
            return replace(CERTAIN, vectors=(one,))
        return found if isinstance(found, Result) else UNKNOWN

    def number(self, node: p.Expr) -> Number:
        found = self.term(node)
        return found if isinstance(found, Number) else Number(Value())

    def text(self, node: p.Expr) -> str | None:
        found = self.term(node)
        return found if isinstance(found, str) else None

    def _judged(self, node: p.Expr) -> Term:
        match node:
            case p.ParenExpr():
                return self.term(node.expr)
            case p.NumberLiteral():
                return Number(Value(exactly(node.val)))
            case p.StringLiteral():
                return str(node.val)
            case p.VectorSelector():
                return keyed(series.select(node, self.world, self._record), node)
            case p.MatrixSelector():
                return self._window(node)
            case p.SubqueryExpr():
                return self._subquery(node)
            case p.UnaryExpr():
                return self._negated(node)
            case p.BinaryExpr():
                return operators.binary(node, self)
            case p.AggregateExpr():
                return aggregates.aggregate(node, self)
            case p.Call():
                return calls.call(node, self)
        return UNKNOWN

    def _window(self, node: p.MatrixSelector) -> Window:
        spacing, guess = self.world.spacing(selector(node.vector_selector).metric)
        return Window(self.result(node.vector_selector), node.range.total_seconds(), spacing, guess)

    def _subquery(self, node: p.SubqueryExpr) -> Window:
        """Of the past the label sets and the values are known, not what is true of them now."""
        step = node.step.total_seconds() if node.step else 0.0
        length = node.range.total_seconds() if node.range else 0.0
        return Window(self.result(node.expr), length, step, subquery=True)

    def _negated(self, node: p.UnaryExpr) -> Term:
        inner = self.term(node.expr)
        if isinstance(inner, Number):
            return Number(Value(negated(inner.value.range)), inner.deaths)
        found = self.result(node.expr).each(
            lambda one: replace(one, value=Value(negated(one.value.range)), key=None, floats=False)
        )
        return keyed(found, node)

    def _record(self, rule: Rule) -> Result | None:
        if rule.record in self._above:
            return None
        if id(rule) not in self._records:
            self._records[id(rule)] = self._of_rule(rule)
        return self._records[id(rule)]

    def _of_rule(self, rule: Rule) -> Result | None:
        try:
            tree = parse(rule.expr)
        except Nonsense:
            return None
        inner = Judge(self.world, (*self._above, rule.record))
        inner._records = self._records
        return inner.result(tree)
