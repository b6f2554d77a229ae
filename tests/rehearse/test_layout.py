"""An expression over several lines stays the same expression."""

from textwrap import dedent

import pytest

from opsconsole.promql import parse
from opsconsole.rehearse.layout import laid_out


def shown(expr: str, width: int) -> str:
    return "\n".join(" " * indent + text for indent, text in laid_out(parse(expr), width))


def test_what_fits_stays_on_one_line() -> None:
    assert shown("sum by (job) (rate(a[5m])) > 1", 60) == "sum by (job)(rate(a{}[5m])) > 1"


@pytest.mark.parametrize(
    ("expr", "lines"),
    [
        ("a + b - c + d", "a{}\n+ b{}\n- c{}\n+ d{}"),
        ("a * b + c > 1", "  a{} * b{}\n  + c{}\n> 1"),
        ("a and b > 1", "a{}\nand  b{} > 1"),
        ("a and bbbb > ccccc", "a{}\nand\n  bbbb{}\n  > ccccc{}"),
        ("a / on (job) (b + c + d)", "a{}\n/ on (job) (\n  b{}\n  + c{}\n  + d{}\n)"),
        ("max(aaaaa) by (job)", "max by (job)(\n  aaaaa{}\n)"),
        ("clamp(aaaaaaaaaa, 1, 2)", "clamp(\n  aaaaaaaaaa{},\n  1,\n  2\n)"),
        ("-(aaaa + bbbb + cccc)", "-(\n  aaaa{}\n  + bbbb{}\n  + cccc{}\n)"),
        ("max_over_time((a + b)[5m:1m])", "max_over_time(\n  (\n    a{} + b{}\n  )[5m:1m]\n)"),
    ],
    ids=["chain", "stronger", "fits", "weaker", "parentheses", "aggregation", "call", "minus", "subquery"],
)
def test_it_is_broken_before_operators_and_inside_parentheses(expr: str, lines: str) -> None:
    assert shown(expr, 13) == lines


def test_what_was_laid_out_reads_the_same() -> None:
    expr = dedent("""
        (label_replace(rate(a{b="x y) or (z"}[5m:30s] offset 1m), "to", "$1", "from", "(.*)") > bool 2)
        * on (job) group_left (team) (0.5 * sum without (pod) (c)) unless absent(up == 0) or vector(1)
    """)
    for width in range(5, 200, 9):
        assert parse(shown(expr, width)).prettify() == parse(expr).prettify()
