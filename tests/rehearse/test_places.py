"""Each part of an expression is found where it stands in the text of the whole."""

import pytest

from opsconsole.promql import parse
from opsconsole.rehearse.places import places, whole

EXPRESSIONS = [
    "sum by (job) (job)",
    "topk by (a) (5, x)",
    "-(x + -y) ^ 2 > bool 1",
    "a / on(x) group_left(y) b > 3 and on() hour() > 9",
    "rate(x[5m] offset 3m)",
    "max_over_time((a + b)[5m:1m] offset 3m)",
    'label_replace(count_values("v", x), "a", "$1", "b", "(.*)")',
    "quantile(0.5, a) unless b offset -5m",
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_every_part_stands_where_it_is_said_to(text: str) -> None:
    tree = parse(text)
    written = str(tree)
    for place in places(tree):
        assert written[place.start :].startswith(place.text)


def test_which_of_several_occurrences() -> None:
    found = [
        place.nth for place in places(parse("foo_bar > 1 and bar > 1 and bar > 1")) if place.text == "bar{}"
    ]
    assert found == [1, 2], "that within foo_bar{} is the first"


def test_parentheses_are_looked_through() -> None:
    assert whole(parse("((x))")).bare.text == "x{}"
