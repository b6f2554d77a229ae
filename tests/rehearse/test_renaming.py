"""Metrics under other names, and what cannot have another one."""

import pytest

from opsconsole.rehearse.model import Course, Phase, Rule
from opsconsole.rehearse.renaming import can_be_renamed, renamed
from tests.rehearse.payments import candidate, key

RENAMED = {
    "up": "p_up",
    'rate(a_total{x="up"}[5m500ms] offset -1m)': 'rate(p_a_total{x="up"}[5m500ms] offset -1m)',
    'sum by (up) (up) / on (a) group_left (b) c{d!~"e|f"}': (
        'sum by (up) (p_up) / on (a) group_left (b) p_c{d!~"e|f"}'
    ),
    'max_over_time(a{b="c"}[1h:30s500ms]) > bool 1': 'max_over_time(p_a{b="c"}[1h:30s500ms]) > bool 1',
    'label_replace(a, "a", "$1", "a", "(.*)a\\\\d")': 'label_replace(p_a, "a", "$1", "a", "(.*)a\\\\d")',
    "a @ 1609746000.123 or b @ end() unless -c ^ 2": "p_a @ 1609746000.123 or p_b @ end() unless -p_c ^ 2",
    "vector(1) > hour()": "vector(1) > hour()",
}

STAYS = {
    "by pattern": '{__name__=~"a.*"} > 1',
    "by matcher": '{__name__="a"}',
    "without a name": '{job="a"}',
    "alerts": 'ALERTS{alertname="x"} or a',
    "since when": "ALERTS_FOR_STATE",
    "name as a label": "count by (__name__) (a)",
    "name copied": 'label_replace(a, "x", "$1", "__name__", "(.*)")',
    "any metric": "info(a)",
    "no PromQL": "a = 1",
}


@pytest.mark.parametrize("expr", RENAMED)
def test_every_metric_gets_the_prefix_and_nothing_else(expr: str) -> None:
    assert " ".join((renamed(expr, "p_") or "").split()) == RENAMED[expr]


@pytest.mark.parametrize("expr", STAYS.values(), ids=list(STAYS))
def test_what_cannot_be_renamed(expr: str) -> None:
    assert renamed(expr, "p_") is None
    assert not can_be_renamed(candidate(expr))
    assert not can_be_renamed(candidate("b > 1", rests_on=(Rule(record="b", expr=expr),)))


@pytest.mark.parametrize(
    ("value", "can"),
    [
        ("{{ $labels.job }}", True), ("query", True), ("{{ $labels.__name__ }}", False),
        ('{{ with query "up" }}{{ . | first | value }}{{ end }}', False),
    ],
    ids=["label", "no template", "name", "query"],
)  # fmt: skip
def test_templates_in_labels(value: str, can: bool) -> None:
    assert can_be_renamed(candidate(labels={"x": value})) is can


def test_series_of_the_alerts_keep_their_name() -> None:
    still = Course(Phase(1), Phase(1), Phase(1))
    assert not can_be_renamed(candidate(courses={key("ALERTS", alertname="x"): still}))
