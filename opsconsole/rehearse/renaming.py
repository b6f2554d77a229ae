"""Expressions whose metrics get a prefix, so that many of them share one promtool test and none sees
another's series."""

from functools import lru_cache

import promql_parser as p

from opsconsole.errors import Nonsense
from opsconsole.promql.trees import parse, selector, walk
from opsconsole.rehearse.model import Candidate

_OF_THE_ALERTS = ("ALERTS", "ALERTS_FOR_STATE")
_READS_ANY_METRIC = "info"
_STAND_IN = "opsconsole_prefix_here_"
_NAME = "__name__"


def renamed(expr: str, prefix: str) -> str | None:
    """The expression with `prefix` before each metric's name; None where its meaning could change.

    That is where a metric is not chosen by its plain name, where the alerts' own series are read, where the
    name is made use of as a label, and what is not PromQL to our parser.
    """
    with_stand_in = _renamed(expr)
    return None if with_stand_in is None else with_stand_in.replace(_STAND_IN, prefix)


def can_be_renamed(candidate: Candidate) -> bool:
    """Whether all that the candidate reads and makes can be renamed."""
    rules = (*candidate.rests_on, candidate.rule)
    labels = [text for rule in rules for text in rule.labels.values() if "{{" in text]
    if any(_NAME in text or "query" in text for text in labels):
        return False
    if any(dict(key).get(_NAME, "") in ("", *_OF_THE_ALERTS) for key in candidate.incident.courses):
        return False
    return all(_renamed(rule.expr) is not None for rule in rules)


@lru_cache(maxsize=4096)
def _renamed(expr: str) -> str | None:
    try:
        tree = parse(expr)
    except Nonsense:
        return None
    for node in walk(tree):
        if isinstance(node, p.Call) and node.func.name == _READS_ANY_METRIC:
            return None
        if isinstance(node, p.VectorSelector) and (selector(node).metric or "ALERTS") in _OF_THE_ALERTS:
            return None
    text: str = p.transform(tree, None, _with_stand_in).prettify()
    return None if _NAME in text else text


def _with_stand_in(node: p.Expr) -> p.Expr | None:
    """A named selector under its new name. One named by a matcher stays, and is told by its `__name__`."""
    if isinstance(node, p.VectorSelector) and node.name:
        return p.parse(_STAND_IN + node.prettify())
    return None
