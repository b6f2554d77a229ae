"""PromQL, read as trees and never as text.

`trees` parses and takes expressions apart, `durations` changes how far they look back, `matchers` adds to
what they select, `variables` fills in Grafana's template variables (the one step that is about text: what it
fills is not PromQL yet), `templates` writes a query with these left in it. Nothing here does I/O.
"""

from opsconsole.promql.durations import with_durations
from opsconsole.promql.matchers import with_matchers
from opsconsole.promql.templates import pretty_template
from opsconsole.promql.trees import (
    Comparison,
    Matcher,
    Selector,
    comparison,
    parse,
    pretty,
    same,
    selectors,
    stood_in_for,
)
from opsconsole.promql.variables import Value, fill, time_variables, unresolved

__all__ = [
    "Comparison",
    "Matcher",
    "Selector",
    "Value",
    "comparison",
    "fill",
    "parse",
    "pretty",
    "pretty_template",
    "same",
    "selectors",
    "stood_in_for",
    "time_variables",
    "unresolved",
    "with_durations",
    "with_matchers",
]
