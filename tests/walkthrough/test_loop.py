"""The closed loop beside every kind of traffic: it holds the value in its band, or says that it cannot."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from opsconsole.walkthrough.band import MOST_PER_SECOND
from opsconsole.walkthrough.loop import CannotHold, Dose, Goal, Loop, Reading, forecast
from tests.walkthrough.simulated import START, Evaluation, Simulated, Traffic

PRODUCTION = Goal(
    share=0.1, ceiling=0.25, window_seconds=300.0, counted=True, dilutes=True, scrape_seconds=15.0
)  # the warning about payments, below the critical one
LAB = replace(PRODUCTION, window_seconds=1.0, scrape_seconds=0.1)
SCRAPED = [(1.0, 0.1), (300.0, 15.0), (300.0, 30.0), (60.0, 5.0), (3600.0, 60.0)]

always_the_same = settings(derandomize=True, max_examples=100)


@dataclass(frozen=True)
class Held:
    """What came of a simulated test: the evaluations once the value had crossed the threshold and settled,
    those outside the band, the requests, the traffic beside them, and why it could not be held, if so."""

    evaluations: list[Evaluation]
    outside: list[Evaluation]
    requests: int
    seconds: float
    beside: Reading
    refusal: str = ""


def hold(simulated: Simulated, windows: float = 6.0) -> Held:
    """Let the loop hold it for so many windows."""
    goal = simulated.goal
    beside, refusal = simulated.warm_up(), ""
    seconds = windows * goal.window_seconds + goal.answer_seconds
    try:
        simulated.run(seconds)
    except CannotHold as cannot:
        refusal, beside = cannot.message, simulated.beside()
    crossed = next((e.at for e in simulated.evaluations if e.value > goal.share), math.inf)
    settled = crossed + 3 * goal.scrape_seconds
    if not simulated.existing:  # a rate overstates a series for as long as it is younger than the window
        settled += goal.window_seconds + simulated.answer_seconds
    seen = [e for e in simulated.evaluations if e.at >= settled]
    outside = [e for e in seen if not inside(goal, e.value)]
    return Held(seen, outside, simulated.loop.sent + simulated.loop.passing, seconds, beside, refusal)


def inside(goal: Goal, value: float) -> bool:
    return value > goal.share and (value < goal.ceiling or goal.ceiling == math.inf)


@st.composite
def goals(draw: st.DrawFn) -> Goal:
    share = draw(st.floats(0.02, 0.5))
    ceiling = share * draw(st.floats(1.5, 4.0)) if draw(st.booleans()) else math.inf
    window, scrape = draw(st.sampled_from(SCRAPED))
    return Goal(
        share=share,
        ceiling=ceiling if ceiling < 0.95 else math.inf,
        window_seconds=window,
        counted=draw(st.booleans()),
        dilutes=draw(st.booleans()),
        scrape_seconds=scrape,
    )


@st.composite
def simulations(draw: st.DrawFn, *, by_chance: bool, least: float) -> Simulated:
    """Traffic in which at least so many bad ones are needed in a window, some of which are there already."""
    goal = draw(goals())
    needed = 10 ** draw(st.floats(math.log10(least), 4.0))
    bad_share = draw(st.floats(0.0, 0.8)) * goal.share / (1 if goal.counted else 1 + goal.share)
    chance = random.Random(draw(st.integers(0, 10**6))) if by_chance else None
    return Simulated(
        goal,
        Traffic.steady(needed / goal.share / goal.window_seconds, bad_share, chance),
        query_seconds=draw(st.floats(0.05, 0.9)) * goal.scrape_seconds,
        answer_seconds=draw(st.floats(0.05, 2.5)) * goal.scrape_seconds,
        existing=draw(st.booleans()),
    )


@always_the_same
@given(simulations(by_chance=False, least=5))
def test_beside_even_traffic_every_evaluation_is_in_the_band(simulated: Simulated) -> None:
    held = hold(simulated)
    assert not held.outside
    assert held.evaluations or could_not(simulated.goal, held)


@always_the_same
@given(simulations(by_chance=True, least=0.01))
def test_beside_traffic_that_comes_by_chance_nearly_every_one_is(simulated: Simulated) -> None:
    """Chance may do more in one scrape than anything can answer before the next; then it is answered."""
    held = hold(simulated)
    assert len(held.outside) <= 2 + len(held.evaluations) / 20
    assert held.evaluations or held.refusal


def could_not(goal: Goal, held: Held) -> bool:
    """Whether the reason for refusing is true, by an arithmetic of the test's own."""
    bad, total = held.beside.bad, held.beside.total
    enough = [n for n in range(100_000) if inside(goal, after(goal, bad, total, n))]
    varies = 5 * math.sqrt(2 * total * (goal.share + min(goal.ceiling, 1) ** 2)) + 2
    if "requests a second" in held.refusal:
        affordable = MOST_PER_SECOND * goal.window_seconds * goal.dilutes
        too_narrow = (goal.ceiling - goal.share) * (total + affordable) < varies
        return too_narrow or enough[0] / goal.window_seconds > MOST_PER_SECOND / 2.5
    if "not below the" in held.refusal:
        return not goal.dilutes and len(enough) <= 1
    assert "no room" in held.refusal, held.refusal
    return not goal.dilutes and (goal.ceiling - goal.share) * total < varies


def after(goal: Goal, bad: float, total: float, more: int) -> float:
    """The share when so many more bad ones are counted."""
    each = goal.window_seconds / (goal.window_seconds - goal.scrape_seconds)
    total += more * each * goal.counted
    return (bad + more * each) / total if total else math.inf


@always_the_same
@given(goals(), st.floats(0.0, 3000.0), st.floats(0.0, 0.9))
def test_a_forecast_is_in_the_band_or_there_is_none(goal: Goal, total: float, bad_share: float) -> None:
    bad = round(total * bad_share * goal.share)
    reading = Reading(START, None, False, bad, total, START)
    held = Held([], [], 0, 0.0, reading)
    told, refusal = None, ""
    try:
        told = forecast(goal, reading, goal.window_seconds / 2)
    except CannotHold as cannot:
        refusal = cannot.message
    if told is None:
        assert could_not(goal, replace(held, refusal=refusal))
        return
    assert told.fewest <= told.first <= told.requests
    assert told.per_second <= MOST_PER_SECOND
    if not goal.dilutes:
        assert inside(goal, after(goal, bad, total, told.first))


def test_beside_a_few_requests_in_a_window_nearly_every_one_is() -> None:
    """3, 9 and 30 payments in five minutes, as chance brings them."""
    held = [
        hold(Simulated(PRODUCTION, Traffic.steady(rate, 0.02, random.Random(seed)), 5.0, 2.0), windows=8)
        for rate in (0.01, 0.03, 0.1)
        for seed in range(20)
    ]
    assert not any(each.refusal for each in held)
    assert sum(len(each.outside) for each in held) < sum(len(each.evaluations) for each in held) / 500


@pytest.mark.parametrize("goal", [LAB, PRODUCTION, replace(LAB, share=0.25, ceiling=math.inf)])
@pytest.mark.parametrize("seed", range(5))
def test_at_most_twice_the_fewest_requests(goal: Goal, seed: int) -> None:
    """Beside 200 payments in a window, as chance brings them, of which 2 % fail."""
    per_second = 200 / goal.window_seconds
    traffic = Traffic.steady(per_second, 0.02, random.Random(seed))
    simulated = Simulated(goal, traffic, 0.3 * goal.scrape_seconds, 0.3 * goal.scrape_seconds)
    held = hold(simulated)
    assert not held.outside
    assert held.requests <= 2 * fewest(goal, bad=4.0, total=200.0, seconds=held.seconds)


@always_the_same
@given(simulations(by_chance=True, least=20))
def test_at_most_twice_the_fewest_beside_any_traffic(simulated: Simulated) -> None:
    """Where at least twenty are needed, and those that fail by themselves are few among them."""
    goal = replace(simulated.goal, dilutes=False)
    traffic = Traffic.steady(simulated.traffic.per_second(0), goal.share / 10, simulated.traffic.chance)
    simulated = replace(simulated, goal=goal, traffic=traffic, existing=True)
    held = hold(simulated)
    total = traffic.per_second(0) * goal.window_seconds
    assume(not held.refusal)
    assert held.requests <= 2 * fewest(goal, total * goal.share / 10, total, held.seconds)


def fewest(goal: Goal, bad: float, total: float, seconds: float) -> int:
    """Each is seen for a window less one scrape, so as many are needed anew in each such time."""
    total -= 0.0 if goal.counted else bad
    each_time = next(n for n in range(100_000) if after(goal, bad, total, n) > goal.share)
    return each_time * math.ceil(seconds / (goal.window_seconds - goal.scrape_seconds))


def rising(seconds: float) -> float:
    """1 a second, and half as much again after twenty minutes, within five."""
    return 1.0 + 0.5 * min(1.0, max(0.0, (seconds - 1200) / 300))


def waves(seconds: float) -> float:
    return 1.0 + 0.2 * math.sin(seconds / 200)


def bursts(seconds: float) -> float:
    """A third more for one minute of each five."""
    return 1.33 if seconds % 300 < 60 else 1.0


@pytest.mark.parametrize("per_second", [rising, waves, bursts])
@pytest.mark.parametrize("times", [0.3, 10.0, 500.0])
def test_traffic_that_changes(per_second: Callable[[float], float], times: float) -> None:
    traffic = Traffic(lambda seconds: times * per_second(seconds), lambda _: 0.02)
    held = hold(Simulated(PRODUCTION, traffic, 2.0, 1.0), windows=12)
    assert held.evaluations
    assert not held.outside


@pytest.mark.parametrize("seed", range(10))
def test_looks_at_any_time_between_two_scrapes(seed: int) -> None:
    chance = random.Random(seed)
    goal = replace(chance.choice([LAB, PRODUCTION]), ceiling=math.inf)
    traffic = Traffic.steady(chance.uniform(100, 1500) / goal.window_seconds, 0.01)
    query_seconds, answer_seconds = 0.9 * goal.scrape_seconds, 0.5 * goal.scrape_seconds
    held = hold(Simulated(goal, traffic, query_seconds, answer_seconds, uneven=chance))
    assert held.evaluations
    assert not held.outside


@pytest.mark.parametrize("each", [2, 3, 5])
def test_looks_rarer_than_scrapes(each: int) -> None:
    """As on a machine that has too much to do."""
    traffic = Traffic.steady(200, 0.02, random.Random(each))
    held = hold(Simulated(replace(LAB, ceiling=math.inf), traffic, 0.03, 0.03, looks_each=each))
    late = [e for e in held.outside if e.at > held.evaluations[0].at + 1]
    assert held.evaluations
    assert not late


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_scrapes_that_fail(share: float, seed: int) -> None:
    """They tell less than they should; but what moves is not said to stand still, and nothing is flooded."""
    chance = random.Random(seed)
    traffic = Traffic.steady(200, 0.02, chance)
    simulated = Simulated(
        replace(LAB, ceiling=math.inf), traffic, 0.03, 0.03, fails=lambda: chance.random() < share
    )
    held = hold(simulated, windows=12)
    assert not held.refusal
    assert held.requests <= 3 * fewest(LAB, bad=4.0, total=200.0, seconds=held.seconds)


def test_failures_beyond_the_ceiling_are_borne_for_half_a_window() -> None:
    traffic = Traffic(lambda _: 1.0, lambda seconds: 0.02 if seconds < 1200 else 0.4)
    simulated = Simulated(replace(PRODUCTION, dilutes=False), traffic, 2.0, 1.0)
    held = hold(simulated, windows=12)
    assert "not below the 25% of the next alert" in held.refusal
    beyond = [e.at for e in simulated.evaluations if e.value >= 0.25]
    assert 120 <= beyond[-1] - beyond[0] < 200


@pytest.mark.parametrize("told", [True, False])
def test_answers_that_take_longer_than_the_window(told: bool) -> None:
    """Slow webhooks: 1.5 s to answer, a window of one; the loop is told so, or learns it."""
    goal = Goal(0.05, math.inf, 1.0, True, True, 0.1, answer_seconds=1.5 * told)
    simulated = Simulated(goal, Traffic.steady(200, 0.0, random.Random(1)), 0.03, 1.52)
    held = hold(simulated)
    assert held.evaluations
    assert not held.outside
    assert held.requests <= 2 * fewest(goal, bad=0.0, total=200.0, seconds=held.seconds)


def test_a_counter_that_is_born_shows_nothing_of_its_first() -> None:
    simulated = Simulated(PRODUCTION, Traffic.steady(0.5, 0.02), 2.0, 1.0, existing=False)
    held = hold(simulated)
    first, *more = (dose.bad for at, dose in simulated.doses if at < held.evaluations[0].at - 300)
    assert first <= sum(more) <= first + 3
    assert held.evaluations
    assert not held.outside


def test_a_metric_that_does_not_move() -> None:
    simulated = Simulated(PRODUCTION, Traffic.steady(0.5, 0.0), 2.0, 1.0, moves=False)
    simulated.warm_up()
    with pytest.raises(CannotHold, match="requests were answered as expected and the metric does not move"):
        simulated.run(3600)
    assert 4 <= len(simulated.doses) <= 6


def test_a_metric_that_moves_no_more_is_not_flooded() -> None:
    """It has moved, so there may be other reasons: who follows the alert will tell."""
    simulated = Simulated(PRODUCTION, Traffic.steady(0.5, 0.0), 2.0, 1.0)
    simulated.warm_up()
    simulated.run(600)
    simulated.moves, before = False, simulated.loop.sent
    simulated.run(1200)
    assert simulated.loop.sent - before <= 1.5 * before / 600 * 1200


def test_where_nothing_happens_passing_ones_are_sent_first() -> None:
    """One bad among nothing is 100 %: only beside passing ones that are seen to count is it 20 %."""
    simulated = Simulated(PRODUCTION, Traffic.steady(0.0, 0.0), 2.0, 1.0)
    held = hold(simulated)
    assert [dose for _, dose in simulated.doses[:2]] == [Dose(0, 4), Dose(1, 0)]
    assert held.evaluations
    assert not held.outside
    assert all(evaluation.value < 0.25 for evaluation in simulated.evaluations if evaluation.total)


def test_why_it_cannot_be_held() -> None:
    alone = replace(PRODUCTION, dilutes=False)
    reading = Reading(START, 0.0, False, 0.0, 1.0, START)
    reason = "1 bad among 2 is 51%, not below the 25% of the next alert, and no passing ones can be sent"
    with pytest.raises(CannotHold, match=reason):
        Loop(alone).next(reading, START)
    with pytest.raises(CannotHold, match=r"it would need 4\d\d requests a second, more than 200"):
        Loop(replace(alone, ceiling=math.inf)).next(replace(reading, total=1_000_000.0), START)
    with pytest.raises(CannotHold, match="a window of 20 s holds no two scrapes 15 s apart"):
        Loop(replace(PRODUCTION, window_seconds=20.0))
    with pytest.raises(CannotHold, match="cannot be exceeded"):
        Loop(replace(PRODUCTION, share=1.0, ceiling=math.inf)).next(reading, START)


def test_nothing_is_sent_before_the_first_scrape_or_when_it_is_over_by_itself() -> None:
    loop = Loop(PRODUCTION)
    assert loop.next(Reading(0.0, None, False), START) == (0, 0)
    assert loop.next(Reading(START, 0.2, True, 20.0, 100.0, START), START) == (0, 0)
    assert (loop.sent, loop.passing) == (0, 0)


def test_a_count_alone() -> None:
    """More than 25 failures in 5 minutes, with 5 of their own."""
    goal = Goal(25.0, math.inf, 300.0, False, False, 15.0, alone=True)
    simulated = Simulated(goal, Traffic.steady(0.1, 1 / 6), 2.0, 1.0)
    held = hold(simulated)
    assert held.evaluations
    assert not held.outside
    assert held.requests <= 2 * 21 * 6.5
