"""Recording rules that were proposed and never evaluated: what they would have recorded, instead."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

import promql_parser as p

from opsconsole.errors import Nonsense
from opsconsole.promql import Selector, parse, pretty, selectors
from opsconsole.promql.trees import children, selector
from opsconsole.rehearse.model import Rule

Records = Mapping[str, Sequence[Rule]]
"""Recording rules by the name that they record."""


class NotInHistory(Exception):
    """The expression reads what was never recorded, in a way that cannot be replaced; its text says why."""


def unrecorded(loaded: Sequence[Rule], proposed: Sequence[Rule]) -> dict[str, list[Rule]]:
    """The proposed recording rules whose series the history does not have: the new and the changed ones, and
    those that rest on such."""
    by_name: dict[str, list[Rule]] = defaultdict(list)
    for rule in proposed:
        if rule.record:
            by_name[rule.record].append(rule)
    known = {(rule.record, _form(rule)) for rule in loaded if rule.record}
    found = {
        name: rules
        for name, rules in by_name.items()
        if any((name, _form(rule)) not in known for rule in rules)
    }
    while more := {
        name: rules
        for name, rules in by_name.items()
        if name not in found and any(_may_read(rule, found) for rule in rules)
    }:
        found |= more
    return found


def self_contained(expr: str, missing: Records) -> str:
    """The expression with what `missing` would have recorded in place of its name; as it is where it reads
    none of that. Raises NotInHistory, and Nonsense for what is not PromQL."""
    return expr if not _reads(expr, missing) else _replaced(expr, missing, ()).prettify()


def _replaced(expr: str, missing: Records, within: tuple[str, ...]) -> p.Expr:
    tree = parse(expr)
    for found in selectors(tree):
        for name in _named(found, missing):
            if obstacle := _obstacle(found, name, within):
                raise NotInHistory(f"{obstacle}, and {name} was never recorded as the proposed rules have it")

    def change(node: p.Expr) -> p.Expr | None:
        name = selector(node).metric if isinstance(node, p.VectorSelector) else None
        if name is None or name not in missing:
            return None
        recorded = [_recording(rule, missing, (*within, name)) for rule in missing[name]]
        return p.parse(f"({' or '.join(recorded)})")

    return p.transform(tree, None, change)


def _obstacle(found: Selector, name: str, within: tuple[str, ...]) -> str:
    if found.metric != name:
        return "it selects metrics by a pattern"
    if name in within:
        return f"{name} is recorded from itself"
    if found.range_seconds is not None:
        return f"it reads {name} over a range"
    if found.shifted:
        return f"it reads {name} at another time"
    return f"it reads {name} with matchers" if found.matchers else ""


def _recording(rule: Rule, missing: Records, within: tuple[str, ...]) -> str:
    tree = _replaced(rule.expr, missing, within)
    text = f"{'vector' if _is_scalar(tree) else ''}({tree.prettify()})"
    for name, value in rule.labels.items():
        filled = json.dumps(value.replace("$", "$$"), ensure_ascii=False)
        text = f'label_replace({text}, "{name}", {filled}, "", "")'
    return text


def _is_scalar(tree: p.Expr) -> bool:
    match tree:
        case p.NumberLiteral():
            return True
        case p.Call():
            return bool(tree.func.return_type == p.ValueType.Scalar)
        case p.ParenExpr() | p.UnaryExpr() | p.BinaryExpr():
            return all(map(_is_scalar, children(tree)))
    return False


def _reads(expr: str, missing: Records) -> bool:
    return bool(missing) and any(_named(found, missing) for found in selectors(parse(expr)))


def _may_read(rule: Rule, missing: Records) -> bool:
    try:
        return _reads(rule.expr, missing)
    except Nonsense:
        return False


def _named(found: Selector, missing: Records) -> list[str]:
    """Which of the names a selector selects, or may select by a pattern."""
    if found.metric is not None:
        return [found.metric] if found.metric in missing else []
    patterns = [one for one in found.matchers if one.label == "__name__"]
    return [name for name in missing if all(_matches(one.operator, one.value, name) for one in patterns)]


def _matches(operator: str, pattern: str, name: str) -> bool:
    if operator in ("=", "!="):
        return (name == pattern) is (operator == "=")
    try:
        return (re.fullmatch(pattern, name) is not None) is (operator == "=~")
    except re.error:  # Go's and Python's patterns differ in little: what cannot be read may match
        return True


def _form(rule: Rule) -> tuple[str, tuple[tuple[str, str], ...]]:
    try:
        text = pretty(rule.expr)
    except Nonsense:
        text = rule.expr
    return text, tuple(sorted(rule.labels.items()))
