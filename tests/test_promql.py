"""PromQL as trees: what is taken apart and filled in."""

import pytest

from opsconsole.errors import Nonsense
from opsconsole.promql import (
    Comparison,
    Matcher,
    Selector,
    comparison,
    fill,
    parse,
    pretty,
    pretty_template,
    same,
    selectors,
    stood_in_for,
    time_variables,
    unresolved,
)


@pytest.mark.parametrize(
    "text", ["", "foo(", "a > > 1", "rate(a)", "1 > 2", 'a{b="c" or d="e"}', "a[$__interval]"]
)
def test_what_is_not_promql_is_refused(text: str) -> None:
    with pytest.raises(Nonsense, match="not PromQL"):
        parse(text)


@pytest.mark.parametrize("levels", [200, 900, 20_000])
def test_what_is_nested_without_end_is_refused(levels: int) -> None:
    for text in ("(" * levels + "a" + ")" * levels, "-" * levels + "a", "+".join("a" * levels)):
        with pytest.raises(Nonsense, match=r"levels deep|too long"):
            parse(text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"x{a=~`\d+`}", r'x{a=~"\\d+"}'),
        ('x{a=`"`, b="`"} > 1 # `', r'x{a="\"", b="`"} > 1'),
        ("holt_winters(x[5m], 0.5, 0.5)", "holt_winters( x[5m], 0.5, 0.5 )"),
    ],
    ids=["backslash", "quotes", "name of Prometheus 2"],
)
def test_what_prometheus_takes_is_read(written: str, meant: str) -> None:
    assert same(written, meant)


def test_selectors_within_ranges_and_subqueries() -> None:
    text = 'sum(rate(a{x="1",y!~"z"}[5m])) / max_over_time(b[1h:1m]) + {__name__="c.d"} - e offset 1d'
    assert selectors(parse(text)) == [
        Selector("a", (Matcher("x", "=", "1"), Matcher("y", "!~", "z")), 300.0),
        Selector("b", ()),
        Selector("c.d", ()),
        Selector("e", (), shifted=True),
    ]


def test_what_a_constant_stands_in_for() -> None:
    text = "(sum(rate(a[5m])) or vector(0)) / (b or c or on() vector(1)) + (vector(1) or vector(2))"
    assert stood_in_for(parse(text)) == ["sum(rate(a[5m]))", "b or c"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > 0.1", Comparison("a", ">", 0.1)),
        ("((a)) > bool (10 / 100)", Comparison("((a))", ">", 0.1)),
        ("-1 < a", Comparison("a", ">", -1)),
        ("5 >= a", Comparison("a", "<=", 5)),
        ("5 != a", Comparison("a", "!=", 5)),
        ("sum(a) == 0 or absent(a)", Comparison("sum(a)", "==", 0, "left of or")),
        ("b and (a > 3)", Comparison("a", ">", 3, "right of and")),
        ("hour() > 9 and a > 3", Comparison("a", ">", 3, "right of and")),
        ("hour() > 9", Comparison("hour()", ">", 9)),
        ("a > 1 and b > 2", Comparison("a", ">", 1, "left of and")),
        ("(b or a > 1) unless c > 2", Comparison("a", ">", 1, "right of or, left of unless")),
        ("a unless b > 2", None),
        ("a > b", None),
        ("a", None),
        ("count(a > 1)", None),
    ],
)
def test_comparison(text: str, expected: Comparison | None) -> None:
    assert comparison(parse(text)) == expected


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        ("a>1", "a  > 1.0 # why", True),
        ("sum(a) by (x)", "sum by(x)(a)", True),
        ('a{x="1",y="2"}', "a{y='2',x='1'}", True),
        ("rate(a[300s])", "rate(a[5m])", True),
        ("a > bool 1", "a > 1", False),
        ("a - (b - c)", "a - b - c", False),
        ("a and on() b", "a and b", False),
        ("rate(a[5m])", "rate(a[6m])", False),
        ('a{x="1"}', 'a{x=~"1"}', False),
        ("a offset 1h", "a", False),
    ],
)
def test_same(a: str, b: str, equal: bool) -> None:
    assert same(a, b) is equal


def test_pretty_is_the_same_expression() -> None:
    assert pretty("sum(rate(a[5m]))by(x)>1") == "sum by (x) (rate(a[5m])) > 1"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('sum(rate(a{p="${p}"}[${__interval}]))by($l)', 'sum by ($l) (rate(a{p="$p"}[$__interval]))'),
        ("${m}_total  >  [[t]]", "${m}_total > $t"),
        ("topk($n,rate(a[5m]offset $o))", "topk($n, rate(a[5m] offset $o))"),
        ("a[1h:$step] # $x [", "a[1h:$step]"),
        ('a{x="${y:csv}"}', 'a{x="${y:csv}"}'),
        ('label_replace(a,"b","$1","c","(.*)")', 'label_replace(a, "b", "$1", "c", "(.*)")'),
        ('{app="x"}  |=\n "y"', '{app="x"} |= "y"'),
        ("increase(a[${__range_s}s])", "increase(a[${__range_s}s])"),
        ("a > 909901", "a > 909901"),
    ],
)  # fmt: skip
def test_a_query_with_its_variables_left_in_it(text: str, written: str) -> None:
    assert pretty_template(text) == written


def test_fill() -> None:
    variables = {"plan": "pro|team", "x": 'a"b', **time_variables(3600, 15)}
    text = (
        'rate(a{p=~"$plan",q="${plan}",r="${plan:regex}",s=${x:doublequote},t="[[plan]]"}[$__rate_interval])'
    )
    assert fill(text, variables) == (
        'rate(a{p=~"pro|team",q="pro|team",r="pro\\|team",s="a\\"b",t="pro|team"}[60s])'
    )
    assert fill("$planet $plan_ $plan", variables) == "$planet $plan_ pro|team"
    assert fill("[$__range] $__range_s $__interval", variables) == "[3600s] 3600 15s"


def test_unresolved() -> None:
    text = 'label_replace(a{b=~"[[:alpha:]]+$"}, "d", "$1", "e", "(.*)") + ${x:regex} + [[y]] + $z + $z'
    assert unresolved(text) == ["x", "y", "z"]
