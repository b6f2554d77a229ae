"""Many candidates in few runs of promtool: each as if it were alone."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from opsconsole.lab.servers import Servers
from opsconsole.rehearse.model import Candidate, Course, Fired, Phase, Rule
from opsconsole.rehearse.packing import observe
from opsconsole.rehearse.promtool import Promtool
from tests.rehearse.payments import FAILED, RATIO, WENT_WELL, candidate, incident, key, rising

CALM = {FAILED: rising(5, 5, 5), WENT_WELL: rising(100, 100, 100)}
ODD = 'a"b\\c\nd, {e="f"} \u2028é'
STILL = Course(Phase(1), Phase(1), Phase(1))

CANDIDATES = {
    "ratio": candidate(for_seconds=900.0, labels={"severity": "page"}),
    "ratio in calm": candidate(courses=CALM, for_seconds=900.0),
    "ratio, no for": candidate(),
    "for too long": candidate(for_seconds=7200.0),
    "alone": candidate("vector(1)", {}),
    "by pattern": candidate('{__name__=~"pai.",status="failed"} > 420', for_seconds=60.0),
    "never": candidate('{__name__=~"pai.",status="failed"} > 1e9'),
    "absent": candidate("absent(up)", {key("up"): Course(Phase(1), None, Phase(1))}, for_seconds=300.0),
    "alerts": candidate('ALERTS{alertname="Other"} == 1', {key("ALERTS", alertname="Other"): STILL}),
    "odd labels": candidate("up == 1", {key("up", odd=ODD): STILL}, labels={"more": ODD}),
    "labels of templates": candidate("up == 1", {key("up", a="b"): STILL}, labels={"x": "{{ $labels.a }}y"}),
    "not a number": candidate("x > 1", {key("x"): Course(Phase(0), Phase(math.nan), Phase(math.inf))}),
    "goes on firing": candidate(keep_firing_for_seconds=600.0),
    "recorded": candidate(
        "share > 0.1",
        rests_on=(Rule(record="all", expr="rate(paid[5m])", labels={"by": "us"}),
                  Rule(record="share", expr='sum(all{status="failed"}) / sum(all{by="us"})')),
    ),
    "longer": candidate(seen=incident(during_seconds=9000.0)),
    "half a second": candidate(
        "x > 1", seen=incident({key("x"): rising(0, 600)}, before_seconds=5.0, during_seconds=5.0,
        after_seconds=5.0, interval_seconds=0.5, evaluation_seconds=0.5),
    ),
    "seldom": candidate(seen=incident(evaluation_seconds=600.0)),
}  # fmt: skip

WRONG = {
    "same labels": (
        candidate("paid >= 0", labels={"status": "all"}),
        "after 0s: vector contains metrics with the same labelset after applying alert labels",
    ),
    "no such function": (candidate("nosuch(paid)"), "unknown function with name \"nosuch\""),
    "no PromQL": (candidate("paid = 1"), "parse error"),
    "no template": (candidate(labels={"x": "{{ nosuch }}"}), 'function "nosuch" not defined'),
    "recorded twice": (
        candidate("share > 1", rests_on=(Rule(record="share", expr="paid * on (job) paid"),)),
        'found duplicate series for the match group {job="a"} on the right hand-side of the operation: '
        '[{__name__="paid", job="a"',
    ),
    "no PromQL, by pattern": (candidate('{__name__=~"pai."} * on (job) paid'), "found duplicate series"),
}  # fmt: skip


@pytest.fixture
def promtool(servers: Servers) -> Promtool:
    return Promtool(servers.promtool)


async def test_what_fires_is_seen(promtool: Promtool) -> None:
    fired = dict(zip(CANDIDATES, await observe(promtool, list(CANDIDATES.values())), strict=True))
    assert fired["ratio"].labels == {"job": "a", "severity": "page"}
    assert (fired["ratio"].pending_at, fired["ratio"].firing_at) == (720.0, 1620.0)
    assert fired["ratio"].resolved_at in (2580.0, 2640.0)  # a range holds a sample less in Prometheus 3
    assert fired["ratio in calm"] == fired["never"] == Fired()
    assert fired["alerts"] == Fired(firing_at=0.0)
    assert (fired["ratio, no for"].pending_at, fired["ratio, no for"].firing_at) == (None, 720.0)
    assert (fired["for too long"].pending_at, fired["for too long"].firing_at) == (720.0, None)
    assert fired["alone"] == Fired(firing_at=0.0)
    assert (fired["by pattern"].pending_at, fired["by pattern"].firing_at) == (1560.0, 1620.0)
    assert fired["absent"] == Fired(pending_at=600.0, firing_at=900.0, resolved_at=2400.0)
    assert fired["odd labels"] == Fired(firing_at=0.0, labels={"odd": ODD, "more": ODD})
    assert fired["labels of templates"].labels == {"a": "b", "x": "by"}
    assert fired["not a number"] == Fired(firing_at=2400.0)
    assert fired["goes on firing"].resolved_at == (fired["ratio, no for"].resolved_at or 0) + 600
    assert (fired["recorded"].firing_at, fired["recorded"].error) == (720.0, "")
    assert fired["longer"].resolved_at == (fired["ratio, no for"].resolved_at or 0) + 7200
    assert fired["half a second"] == Fired(firing_at=5.5)
    assert (fired["seldom"].firing_at, fired["seldom"].resolved_at) == (1200.0, 3000.0)


async def test_those_of_a_pack_do_not_disturb_each_other(promtool: Promtool) -> None:
    """Each gives the same beside those that promtool refuses, that fail in it, and that are alike."""
    wrong = [each for each, _ in WRONG.values()]
    good = list(CANDIDATES.values())
    mixed = [each for pair in zip(good, wrong + good, strict=False) for each in pair]
    beside = dict(zip(map(id, mixed), await observe(promtool, mixed), strict=True))
    assert [beside[id(each)] for each in good] == await observe(promtool, good)
    for each, (_, told) in zip(wrong, WRONG.values(), strict=True):
        assert told in beside[id(each)].error
        assert "opsconsole" not in beside[id(each)].error


async def test_order_is_kept_however_they_are_packed(promtool: Promtool) -> None:
    """30 that differ in when they begin, the longest first."""
    begins = [1500.0 + 300 * nth for nth in reversed(range(30))]
    seldom = incident(during_seconds=900.0, after_seconds=300.0, evaluation_seconds=300.0)
    many = [candidate(seen=replace(seldom, before_seconds=begin)) for begin in begins]
    fired = await observe(promtool, many)
    assert [each.firing_at for each in fired] == [begin + 300 for begin in begins]
    assert [each.resolved_at for each in fired] == [begin + 1200 for begin in begins]


async def test_one_that_makes_promtool_crash_harms_itself_alone(servers: Servers, tmp_path: Path) -> None:
    program = tmp_path / "promtool"
    program.write_text(f'#!/bin/sh\ngrep -q poison *.yml && kill -9 $$\nexec {servers.promtool} "$@"\n')
    program.chmod(0o755)
    poisoned = candidate("up > 1", {key("up", is_="poison"): STILL})
    several_packs = [candidate(seen=incident(interval_seconds=each)) for each in (60, 30, 20, 15, 12, 10)]
    fired = await observe(Promtool(program), [*several_packs[:3], poisoned, *several_packs[3:]])
    assert "ended with -9" in fired.pop(3).error
    assert fired == await observe(Promtool(servers.promtool), several_packs)
    assert None not in [each.firing_at for each in fired]


async def test_what_comes_after_the_end_of_an_incident_is_not_seen(promtool: Promtool) -> None:
    """The series of the shorter one end, while the longer one of the same pack goes on."""
    up = {key("up"): Course(Phase(1), Phase(1), Phase(1))}
    longer = candidate("absent(up)", {key("up"): Course(Phase(1), Phase(1), None)})
    longer = replace(longer, incident=replace(longer.incident, after_seconds=2400.0))
    assert await observe(promtool, [candidate("absent(up)", up), longer]) == [
        Fired(),
        Fired(firing_at=2400.0),
    ]


async def test_more_alerts_than_promtool_can_read_at_once(promtool: Promtool) -> None:
    """promtool gives up at 10,000 samples; here are 110 alerts at 121 evaluations, with others in a pack."""
    courses = {key("up", instance=str(nth)): STILL for nth in range(110)}
    crowd = candidate("up == 1", courses)
    longer = replace(crowd, incident=replace(crowd.incident, after_seconds=3600.0))
    few = replace(candidate(), incident=incident(after_seconds=3600.0))
    fired = await observe(promtool, [few, longer, few])
    assert [each.firing_at for each in fired] == [720.0, 0.0, 720.0]


async def test_nothing_to_observe(promtool: Promtool) -> None:
    nothing: list[Candidate] = []
    assert await observe(promtool, nothing) == []
    assert (await observe(promtool, [candidate(RATIO, {})])) == [Fired()]


async def test_an_incident_that_is_too_long_is_not_begun(promtool: Promtool) -> None:
    endless = candidate(seen=incident(during_seconds=30 * 86_400.0))
    told, fired = await observe(promtool, [endless, candidate()])
    assert told == Fired(error="its incident is too long for promtool: 43230 evaluations of the rule")
    assert fired.firing_at == 720.0
