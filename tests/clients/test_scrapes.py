"""What is made of counters that stand still, begin anew or were left behind, and of series that grow."""

import re
from typing import Any, cast

import msgspec
import pytest

from opsconsole.clients.prometheus import Prometheus, Sample, Series, Target
from opsconsole.clients.scrapes import not_stored, scrape_faults, standing_still
from opsconsole.errors import Unseen
from opsconsole.model import Finding, Seen
from tests.clients.test_targets import DOWN

COUNTERS = ["paid_total", "failed_total"]
NOW = 1_700_000_000.0
UP = Target(**{name: getattr(DOWN, name) for name in DOWN.__struct_fields__} | {"health": "up"})


class Scripted:
    """A Prometheus whose answers are by what stands in the query: values, or by instance; the first that
    matches counts. A list gives one answer after the other."""

    def __init__(self, answers: dict[str, Any], points: list[float] | None = None) -> None:
        self.answers = answers
        self.points = points or []
        self.scraped_at = NOW

    async def query(self, promql: str) -> list[Sample]:
        said: Any = next((said for part, said in self.answers.items() if re.search(part, promql)), {})
        said = said.pop(0) if isinstance(said, list) else said
        values = said if isinstance(said, dict) else {"": said}
        return [
            Sample({"instance": one, "__name__": "paid_total"}, value, NOW) for one, value in values.items()
        ]

    async def query_range(self, *_: Any, **__: Any) -> list[Series]:
        times = [NOW - 300.0 * back for back in range(len(self.points))][::-1]
        return [Series({}, list(zip(times, self.points, strict=True)))] if self.points else []

    async def targets(self, *_: Any) -> list[Target]:
        self.scraped_at += 0.1
        return [msgspec.structs.replace(UP, last_scrape=self.scraped_at)]

    async def label_names(self, *_: Any) -> list[str]:
        return ["__name__", "instance", "plan", "session", "not.plain"]


class Writing(Scripted):
    """One that tells when it last wrote `up`, and how many writes have failed."""

    def __init__(self, written_at: float | None, failed: float | None) -> None:
        super().__init__({} if written_at is None else {"timestamp": written_at})
        self.failed = failed

    async def failed_writes(self) -> float | None:
        if self.failed is None:
            raise Unseen("its metrics are not for us")
        return self.failed


@pytest.mark.parametrize(
    ("written_at", "failed", "told"),
    [
        pytest.param(NOW - 2 * UP.scrape_interval_seconds, 0.0, None, id="just-now"),
        pytest.param(NOW - 600, 41.0, "nothing for 10 min: 41 writes to its disk have failed", id="full"),
        pytest.param(NOW - 600, 0.0, "stored nothing for 10 min", id="no-failed-write"),
        pytest.param(NOW - 600, None, "stored nothing for 10 min", id="not-told"),
        pytest.param(None, 3.0, "stored nothing: 3 writes", id="never"),
    ],
)
async def test_what_is_scraped_and_not_stored(
    written_at: float | None, failed: float | None, told: str | None
) -> None:
    up = msgspec.structs.replace(UP, last_scrape=NOW)
    finding = await not_stored(cast(Prometheus, Writing(written_at, failed)), "app", [up])
    assert (finding is None) is (told is None)
    if finding and told:
        assert told in finding.summary
        assert ("writes" in finding.summary) is ("writes" in told)


async def still(seconds: float, answers: dict[str, Any], points: list[float] | None = None) -> Finding | Seen:
    prometheus = cast(Prometheus, Scripted(answers, points))
    return await standing_still(
        prometheus, "app", COUNTERS, seconds=seconds, interval_seconds=0.01, scraped_at=NOW
    )


async def test_counters_that_always_move_and_stand_still() -> None:
    said = await still(30.0, {"quantile_over_time": 2.0})
    assert isinstance(said, Finding)
    assert "all counters stand still for 30 s: the metrics come from a cache" in said.summary
    assert "120 events or more" in said.detail


@pytest.mark.parametrize("pace", [0.0, 0.001], ids=["no history, or hours without events", "slow"])
async def test_a_quiet_night_is_none_of_it(pace: float) -> None:
    said = await still(30.0, {"quantile_over_time": pace})
    assert isinstance(said, Seen)
    assert "not unusual" in said.text


async def test_what_has_stood_still_for_hours_is_measured_by_hours() -> None:
    said = await still(150.0, {"quantile_over_time": 0.01}, [1.0, 2.0, *[3.0] * 40])
    assert isinstance(said, Finding)
    assert "stand still for 3 h 15 min" in said.summary


async def test_a_counter_that_moves_while_it_is_waited_for() -> None:
    said = await still(3.0, {"quantile_over_time": 6.0, "^sum": [1.0, 1.0, 2.0]})
    assert said == Seen("the counters move")


async def test_a_counter_that_does_not_move_while_it_is_waited_for() -> None:
    said = await still(3.0, {"quantile_over_time": 6.0, "^sum": 1.0})
    assert isinstance(said, Finding)
    assert "all counters stand still for 3.3 s" in said.summary


async def faults(answers: dict[str, Any]) -> list[Finding]:
    return await scrape_faults(cast(Prometheus, Scripted(answers)), "app", COUNTERS, [UP])


async def test_restarts_again_and_again() -> None:
    (finding,) = await faults({"resets": {"app:9568": 7}})
    assert finding.subject == "app:9568"
    assert "began anew 7 times in the last 30 min" in finding.summary


LAST = "count by .instance. .last_over_time"


async def test_series_of_an_instance_that_is_no_target() -> None:
    present = {"app:9568": 2, "gone:1": 1}
    (pushed,) = await faults({LAST: present, "push_time": {"gone:1": 7200.0}})
    assert (pushed.subject, pushed.detail) == ("gone:1", "they were pushed 2 h ago")
    (other,) = await faults({LAST: present})
    assert "honor_labels" in other.detail


@pytest.mark.parametrize(
    "answers",
    [
        {LAST: {"app:9568": 2}},
        {LAST: {"app:9568": 2, "beside:1": 1}, "changes": {"beside:1": 3}},
        {LAST: {"rewritten": 2}},
    ],
    ids=["the targets' own", "another that moves", "all rewritten"],
)
async def test_other_instances_that_are_well(answers: dict[str, Any]) -> None:
    assert await faults(answers) == []


@pytest.mark.parametrize(
    ("each", "series", "grows"),
    [(200, 5_000, True), (200, 1_000_000, True), (12, 500_000, False), (3, 100, False), (0, 100, False)],
)
async def test_series_that_grow_without_end(each: int, series: int, grows: bool) -> None:
    found = await faults(
        {
            "scrape_series_added": {"app:9568": each},
            "scrape_samples": {"app:9568": series},
            "^topk": 900,
            "by .plan.": 3,
            "by .session.": 1400,
        }
    )
    assert [finding.detail for finding in found] == (
        ["the label `session` of paid_total has 1400 values by now"] if grows else []
    )
