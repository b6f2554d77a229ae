"""Proofs that a rule can never be true."""

from collections.abc import Iterable, Mapping, Sequence

import promql_parser as p

from opsconsole.errors import Nonsense
from opsconsole.promql import parse
from opsconsole.rehearse.dead import words
from opsconsole.rehearse.dead.clocks import When
from opsconsole.rehearse.dead.judge import Judge
from opsconsole.rehearse.dead.series import Recorded, World
from opsconsole.rehearse.dead.vectors import Death, Result, Window
from opsconsole.rehearse.model import Reason, Rule
from opsconsole.rehearse.places import Place, places, whole
from opsconsole.rehearse.schema import Schema

_RARELY_SECONDS, _USUALLY_SECONDS = 3600.0, 300.0
"""No rule is evaluated more rarely, and hardly any more rarely than that."""
_NOTHING: Mapping[str, Sequence[Rule]] = {}


def prove(rule: Rule, schema: Schema, recorded: Recorded = _NOTHING) -> list[Reason]:
    """Why the rule can never be true, whatever values its series take; empty where that is not proven.

    Metrics that nobody exports are taken for some that could be, see `unfed`. `recorded` are the recording
    rules by the name that they write. What rests on a guess says so, and comes behind what is proven. An
    expression that is no PromQL to this parser is dead for that: whether it is to Prometheus, promtool tells.
    """
    return _reasons(rule, World(schema, recorded, unknown_exist=True))


def unfed(rule: Rule, schema: Schema, recorded: Recorded = _NOTHING) -> list[Reason]:
    """Why a rule that could be true cannot be as long as metrics that it rests on are exported by nobody;
    empty where it can, or could not in any case."""
    found = _reasons(rule, World(schema, recorded, unknown_exist=False))
    return [] if found and prove(rule, schema, recorded) else found


def _reasons(rule: Rule, world: World) -> list[Reason]:
    try:
        tree = parse(rule.expr)
    except Nonsense as error:
        return [Reason(kind="not-promql", summary=error.message, guilty=rule.expr.strip())]
    try:
        deaths = _deaths(rule, tree, Judge(world, [rule.record] if rule.record else []))
    except RecursionError:
        return []
    return sorted(_told(tree, deaths), key=lambda reason: bool(reason.guess)) if deaths else []


def _deaths(rule: Rule, tree: p.Expr, judge: Judge) -> Sequence[Death]:
    term = judge.term(tree)
    if isinstance(term, Window | str):
        text = "a rule is a number or an instant vector, and this is neither"
        return [Death("never-fires-by-rule", text, tree)]
    result = judge.result(tree)
    if result.dead:
        return result.deaths
    return _outlasted(rule, tree, result)


def _outlasted(rule: Rule, tree: p.Expr, result: Result) -> Sequence[Death]:
    """Whether `for` is longer than the condition can hold."""
    when = result.vectors[0].when
    for vector in result.vectors[1:]:
        when = when.either(vector.when)
    if not rule.for_seconds or when.always:
        return []
    needed, longest = _needed_seconds(rule), when.longest_seconds(rule.interval_seconds or _RARELY_SECONDS)
    guess = ""
    if longest > needed and not rule.interval_seconds:
        longest = when.longest_seconds(_USUALLY_SECONDS)
        guess = f"that it is evaluated every {words.duration(_USUALLY_SECONDS)} or more often"
    if longest > needed:
        return []
    part = _common(tree, when)
    text = (
        f"{words.shown(part)} holds for at most {words.duration(longest)} at a stretch, and `for` asks for "
        f"{words.duration(rule.for_seconds)}"
    )
    return [Death("for-too-long", text, part, f"a `for` below {words.duration(longest)}", guess)]


def _needed_seconds(rule: Rule) -> float:
    """From the first evaluation that is true to the first at which the alert may fire."""
    interval = rule.interval_seconds
    if not interval or interval <= 0:
        return rule.for_seconds
    return interval * -(-rule.for_seconds // interval)


def _common(tree: p.Expr, when: When) -> p.Expr:
    """The smallest part that holds all that restricts the moments."""
    wanted = {id(part) for part in when.parts}
    paths = [(*place.above, place) for place in places(tree) if id(place.node) in wanted]
    common = tree
    for same in zip(*paths, strict=False):
        if any(place.node is not same[0].node for place in same):
            break
        common = same[0].node
    return common.expr if isinstance(common, p.ParenExpr) else common


def _told(tree: p.Expr, deaths: Iterable[Death]) -> list[Reason]:
    """The reasons, with the places of what is to blame."""
    where: dict[int, Place] = {}
    for place in places(tree):
        where[id(place.node)] = place
        if isinstance(place.node, p.MatrixSelector):
            where.setdefault(id(place.node.vector_selector), place)
    found: dict[Reason, None] = {}
    for death in deaths:
        place = where.get(id(death.node), whole(tree))
        reason = Reason(
            kind=death.kind,
            summary=death.summary,
            guilty=place.text,
            nth=place.nth,
            correction=death.correction,
            guess=death.guess,
        )
        found[reason] = None
    return list(found)
