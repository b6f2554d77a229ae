"""A long query in stretches: every moment once, in order, whatever the server refuses."""

from collections.abc import Iterator

import pytest

from opsconsole.clients import ranges
from opsconsole.clients.prometheus import QueryError, Series
from opsconsole.clients.ranges import MOST_TICKS, Stretch, stretches
from opsconsole.errors import TimedOut
from tests.rehearse.scripted import Labels, Script, Scripted, during, together

TICKS = range(1_000_000_500, 1_000_000_500 + 15_000 * 40_000, 15_000)


def crowd(count: int, first: float = 0.0, last: float = 2e9) -> Script:
    return together(*(during((first, last), pod=str(number)) for number in range(count)))


async def asked(answers: Scripted, ticks: range = TICKS) -> list[Stretch]:
    return [stretch async for stretch in stretches(answers.client, "m", ticks)]


def whole(found: list[Stretch], ticks: range = TICKS) -> bool:
    """Each moment in one stretch, and in order."""
    return [tick for stretch in found for tick in stretch.ticks] == list(ticks)


async def test_as_many_moments_as_prometheus_gives_at_once() -> None:
    answers = Scripted({"m": crowd(1)})
    found = await asked(answers)
    assert whole(found)
    assert [len(stretch.ticks) for stretch in found] == [MOST_TICKS] * 3 + [7_000]
    assert [tick for stretch in found for one in stretch.series for tick in one.ticks] == list(TICKS)
    assert found[0].series[0].labels == {"pod": "0"}
    assert set(found[0].series[0].values) == {1.0}


async def test_a_single_moment() -> None:
    assert [len(stretch.ticks) for stretch in await asked(Scripted({"m": crowd(2)}), TICKS[:1])] == [1]


async def test_what_was_too_much_is_not_tried_again() -> None:
    answers = Scripted({"m": crowd(3)}, most_points=20_000)
    found = await asked(answers)
    assert whole(found)
    assert len(answers.asked) - len(found) == 1
    assert all(len(stretch.series) == 3 and not stretch.failed for stretch in found)


async def test_a_query_that_is_slow_is_asked_in_less() -> None:
    class Slow(Scripted):
        async def query_stretch(
            self, promql: str, *, start: float, end: float, step_seconds: float
        ) -> Iterator[Series]:
            if end - start > 100_000:
                raise TimedOut("no answer within 10 s")
            return await super().query_stretch(promql, start=start, end=end, step_seconds=step_seconds)

    assert whole(await asked(Slow({"m": crowd(1)})))


async def test_an_answer_that_is_large_makes_the_next_one_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "MOST_TICKS", 100)
    monkeypatch.setattr(ranges, "_WANTED_POINTS", 800)
    found = await asked(Scripted({"m": crowd(20, last=TICKS[150] / 1000)}), TICKS[:400])
    assert whole(found, TICKS[:400])
    assert [len(stretch.ticks) for stretch in found] == [100, 40, 40, 80, 100, 40]


async def test_too_much_for_a_few_moments_is_told_soon() -> None:
    answers = Scripted({"m": crowd(60)}, most_points=400)
    with pytest.raises(QueryError, match="too many samples"):
        await asked(answers)
    assert len(answers.asked) < 15


async def test_only_the_moments_that_fail_are_lost() -> None:
    bad = range(TICKS[15_000], TICKS[15_004], 15_000)

    def script(now: float) -> dict[Labels, float]:
        if round(1000 * now) in bad:
            raise QueryError("execution: found duplicate series")
        return {(): 1.0}

    found = await asked(Scripted({"m": script}))
    assert whole(found)
    lost = [tick for stretch in found if stretch.failed for tick in stretch.ticks]
    assert set(bad) <= set(lost)
    assert len(lost) <= 32
    assert {stretch.failed for stretch in found} == {"", "execution: found duplicate series"}
