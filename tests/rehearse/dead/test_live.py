"""What can fire is never called dead: promtool fires all that is tried here."""

from pathlib import Path

import pytest

from opsconsole.lab.servers import Servers
from opsconsole.rehearse.dead import prove
from opsconsole.rehearse.model import Rule
from opsconsole.rehearse.schema import Schema
from tests.rehearse.dead import live, small
from tests.rehearse.dead.attacks import fired

ALL = [*((expr, 0.0) for expr in (*live.QUICK, *live.CLOSED_ENDS)), *live.SLOW]


@pytest.mark.parametrize(("expr", "for_seconds"), ALL, ids=[expr for expr, _ in ALL])
def test_it_is_not_called_dead(expr: str, for_seconds: float) -> None:
    rule = Rule(alert="A", expr=expr, for_seconds=for_seconds)
    assert prove(rule, small.SCHEMA) == []
    assert prove(rule, Schema(origin="environment", recorded=small.SCHEMA.recorded)) == []


def test_promtool_fires_it(servers: Servers, tmp_path: Path) -> None:
    closed = live.CLOSED_ENDS if servers.prometheus_version.startswith("2.") else []
    rules = [Rule(alert="A", expr=expr) for expr in (*live.QUICK, *closed)]
    seen, failed = fired(
        servers.promtool, rules, small.QUICK, tmp_path,
        interval_seconds=small.EACH_SECONDS, samples=small.QUICK_SAMPLES,
    )  # fmt: skip
    assert [rule.expr for place, rule in enumerate(rules) if place not in seen] == []
    assert not failed


def test_promtool_fires_it_by_the_calendar(servers: Servers, tmp_path: Path) -> None:
    rules = [Rule(alert="A", expr=expr, for_seconds=seconds) for expr, seconds in live.SLOW]
    seen, failed = fired(
        servers.promtool, rules, small.SLOW, tmp_path,
        interval_seconds=small.SLOW_SECONDS, samples=small.SLOW_SAMPLES,
    )  # fmt: skip
    assert [rule.expr for place, rule in enumerate(rules) if place not in seen] == []
    assert not failed
