"""The value of an alert over its incident, read from promtool."""

import math

import pytest

from opsconsole.errors import Nonsense
from opsconsole.lab.servers import Servers
from opsconsole.rehearse.curve import Curve, curve
from opsconsole.rehearse.model import Candidate, Course, Phase, Rule
from opsconsole.rehearse.packing import observe
from opsconsole.rehearse.promtool import Promtool
from tests.rehearse.payments import RATIO, candidate, incident, key, rising


@pytest.fixture
def promtool(servers: Servers) -> Promtool:
    return Promtool(servers.promtool)


async def seen(promtool: Promtool, one: Candidate) -> Curve:
    (fired,) = await observe(promtool, [one])
    return await curve(promtool, one, fired)


async def test_the_compared_side_with_its_threshold(promtool: Promtool) -> None:
    one = candidate(for_seconds=900.0)
    read = await seen(promtool, one)
    assert (read.expr.split(" > ")[0], read.op, read.threshold) == (RATIO.split(" > ")[0], ">", 0.1)
    assert (read.pending_at, read.firing_at) == (720.0, 1620.0)
    assert [at for at, _ in read.points] == [60.0 * minute for minute in range(1, 61)], "no rate at 0"
    values = dict(read.points)
    assert values[600.0] == 0
    assert values[1620.0] == pytest.approx(0.28)
    assert values[660.0] <= 0.1 < values[720.0]


async def test_some_sixty_points_and_the_moments_of_the_alert(promtool: Promtool) -> None:
    course = Course(Phase(0), Phase(None, 1 / 60), Phase(0))
    long = incident({key("x"): course}, before_seconds=7200.0, during_seconds=7200.0, after_seconds=7200.0)
    read = await seen(promtool, candidate("x > 3", for_seconds=300.0, seen=long))
    assert (read.pending_at, read.firing_at, read.resolved_at) == (7440.0, 7740.0, 14400.0)
    assert [at for at, _ in read.points] == sorted({360.0 * nth for nth in range(61)} | {7440.0, 7740.0})


async def test_the_series_that_fired_among_many(promtool: Promtool) -> None:
    courses = {key("x", at=at): rising(0, a_minute) for at, a_minute in (("a", 1), ("b", 20), ("c", 3))}
    read = await seen(promtool, candidate("x >= 400", courses))
    assert max(value for _, value in read.points) == 600


async def test_what_is_not_compared_with_a_number_is_there_or_not(promtool: Promtool) -> None:
    gone = {key("up"): Course(Phase(1), None, Phase(1))}
    read = await seen(promtool, candidate("absent(up)", gone))
    assert (read.threshold, read.op, read.expr) == (None, "", "absent(up)")
    assert read.points == tuple((60.0 * m, 1.0 if 10 <= m < 40 else 0.0) for m in range(61))


async def test_another_comparison_than_the_first_fired(promtool: Promtool) -> None:
    read = await seen(promtool, candidate("x > 1e6 or x > 100", {key("x"): rising(0, 10)}))
    assert (read.threshold, set(dict(read.points).values())) == (None, {0.0, 1.0})


async def test_recording_rules_are_evaluated_first(promtool: Promtool) -> None:
    rests_on = (Rule(record="doubled", expr="x * 2", group="b"), Rule(record="more", expr="doubled + 1"))
    read = await seen(promtool, candidate("more > 20", {key("x"): rising(0, 1)}, rests_on=rests_on))
    assert dict(read.points)[read.firing_at or 0] == 21


async def test_no_points_where_nothing_is_or_nothing_that_can_be_drawn(promtool: Promtool) -> None:
    course = Course(None, Phase(math.nan), Phase(5))
    read = await seen(promtool, candidate("x > 1", {key("x"): course}))
    assert read.points == tuple((60.0 * minute, 5.0) for minute in range(40, 61))


async def test_what_our_parser_does_not_take(promtool: Promtool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(text: str) -> None:
        raise Nonsense("a form of its own", where=text)

    one = candidate("x > 1", {key("x", a="1"): rising(0, 1)})
    (fired,) = await observe(promtool, [one])
    monkeypatch.setattr("opsconsole.rehearse.curve.parse", refuses)
    assert (await curve(promtool, one, fired)).points[-1] == (3600.0, 1.0)
