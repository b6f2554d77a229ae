"""A back-test beside a real server's own ALERTS."""

import pytest

from opsconsole.checkkit import until
from opsconsole.clients.prometheus import Prometheus, Sample
from opsconsole.rehearse.backtest import backtest
from opsconsole.rehearse.model import Rule
from tests.clients.conftest import OpenDoor

pytestmark = pytest.mark.servers


async def test_it_agrees_with_a_server_whose_rules_fire_wait_rest_and_break(
    open_door: OpenDoor, odd_prometheus: str
) -> None:
    prometheus = Prometheus(open_door(odd_prometheus, server="prometheus"), lambda *_: None)

    async def fires() -> list[Sample]:
        return await prometheus.query('timestamp(ALERTS{alertname="Fires",alertstate="firing"})')

    fired = await until(fires, within_seconds=120, what="an alert that fires")
    assert fired
    rules = [
        Rule(
            alert=one.name,
            expr=one.expr,
            for_seconds=one.for_seconds,
            keep_firing_for_seconds=one.keep_firing_for_seconds,
            labels=one.labels,
            group=one.group,
            file=one.file,
            interval_seconds=one.interval_seconds,
        )
        for one in await prometheus.rules()
        if one.kind == "alerting"
    ]
    start = fired[0].value
    tests = await backtest(prometheus, rules, start=start, end=start + 1)
    found = {test.rule.alert: test for test in tests.tests}
    assert found["Fires"].fired == 1
    assert found["Fires"].episodes[0].labels == {"severity": "info"}
    assert (found["Waits"].fired, found["Waits"].near_misses) == (0, 0)
    assert found["Rests"].fired == 0
    assert "many-to-many" in found["Breaks"].error
    assert tests.agreed == 1.0
    assert {one.name: one.share for one in tests.agreement} == {"Fires": 1.0, "Waits": None, "Rests": None}
