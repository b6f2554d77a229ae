"""Matchers added to an expression, and nothing else of it changed."""

import json
from collections.abc import Sequence

import promql_parser as p

from opsconsole.promql.durations import bare, shift
from opsconsole.promql.trees import Matcher, parse


def with_matchers(text: str, matchers: Sequence[Matcher]) -> str:
    """The expression with these matchers added to every selector. Raises Nonsense for what is not PromQL."""
    added = ",".join(f"{each.label}{each.operator}{_quoted(each.value)}" for each in matchers)

    def changed(node: p.Expr) -> p.Expr | None:
        if not isinstance(node, p.VectorSelector):
            return None
        written = bare(node)
        opened = f"{written[:-1]}," if written.endswith("}") else f"{written}{{"
        return p.parse(f"{opened}{added}}}{shift(node.at, node.offset)}")

    return p.transform(parse(text), None, changed).prettify()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
