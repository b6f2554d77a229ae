"""The wording of reasons."""

import math
from collections.abc import Iterable
from datetime import timedelta

import promql_parser as p

from opsconsole.promql import Matcher
from opsconsole.promql.durations import display

_LONGEST = 100
_LEAST = 24
_NEVER = {
    ">": "never over",
    "<": "never below",
    ">=": "never {} or over",
    "<=": "never {} or below",
    "==": "never",
    "!=": "always",
}


def shown(node: p.Expr) -> str:
    """An expression as it stands in a sentence: with parts left out where it is long."""
    return f"`{_short(node, _LONGEST)}`"


def _short(node: p.Expr, most: int) -> str:
    text = str(node).replace("{}", "").replace("  ", " ")
    if len(text) <= most:
        return text
    match node:
        case p.ParenExpr():
            return f"({_short(node.expr, most - 2)})"
        case p.BinaryExpr():
            whole, left = str(node), _short(node.lhs, most // 2)
            between = whole[len(str(node.lhs)) : len(whole) - len(str(node.rhs))].strip()
            return f"{left} {between} {_short(node.rhs, max(_LEAST, most - len(left) - len(between)))}"
        case p.AggregateExpr():
            arguments = ", ".join(str(part) for part in (node.param, node.expr) if part is not None)
            head = str(node)[: -len(f"({arguments})")]
            return f"{head}({_short(node.expr, max(_LEAST, most - len(head) - 2))})"
        case p.Call() if node.args:
            inner = _short(node.args[-1], max(_LEAST, most - len(node.func.name) - 2))
            return f"{node.func.name}({'..., ' if len(node.args) > 1 else ''}{inner})"
    half = max(_LEAST, most) // 2 - 2
    return f"{text[:half]}...{text[-half:]}"


def number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return f"{int(value)}" if value == int(value) and abs(value) < 1e15 else f"{value:.15g}"


def never(op: str, bound: float) -> str:
    """For example `never over 10`."""
    words = _NEVER[op]
    return words.format(number(bound)) if "{}" in words else f"{words} {number(bound)}"


def duration(seconds: float) -> str:
    return display(timedelta(seconds=seconds))


def matchers(found: Iterable[Matcher]) -> str:
    return ", ".join(f'{matcher.label}{matcher.operator}"{matcher.value}"' for matcher in found)


def selector(metric: str, found: Iterable[Matcher]) -> str:
    """A selector as one would write it."""
    inside = matchers(found)
    return f"{metric}{{{inside}}}" if inside else metric


def listed(names: Iterable[str], conjunction: str = "and") -> str:
    *most, last = names
    return f"{', '.join(most)} {conjunction} {last}" if most else last


def closest(name: str, known: Iterable[str]) -> str | None:
    """The name that is most like another, if one is alike."""
    import difflib

    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return found[0] if found else None
