"""Moments as bits: what the calendar functions say of each."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsconsole.promql import parse
from opsconsole.rehearse.dead.clocks import CALENDAR, CYCLE, WEEK, clock
from opsconsole.rehearse.search.clock import CALENDAR as BY_DATE

NODE = parse("vector(1)")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("function", CALENDAR)
@settings(max_examples=25)
@given(minute=st.integers(0, CYCLE * 24 * 60 - 1), hours_later=st.integers(-30, 30))
def test_a_clock_goes_by_the_calendar(function: str, minute: int, hours_later: int) -> None:
    by_calendar = clock(function)
    assert by_calendar is not None
    value = float(BY_DATE[function](EPOCH + timedelta(minutes=minute)))
    assert CALENDAR[function][0] <= value <= CALENDAR[function][1]
    when = by_calendar.when(lambda one: one == value, NODE)
    assert when.minutes >> minute % WEEK & 1
    assert when.days >> minute // (24 * 60) & 1
    later = by_calendar.shifted(3600.0 * hours_later)
    if later is not None and not by_calendar.by_days:
        then = float(BY_DATE[function](EPOCH + timedelta(minutes=minute, hours=hours_later)))
        assert later.when(lambda one: one == then, NODE).minutes >> minute % WEEK & 1


def test_the_longest_stretch_and_the_most_moments_in_a_window() -> None:
    hours = clock("hour")
    assert hours is not None
    night = hours.when(lambda hour: hour >= 22 or hour < 6, NODE)
    assert night.longest_seconds() == 8 * 3600
    assert night.longest_seconds(looked_at_seconds=17 * 3600) == float("inf")
    assert night.most_in(86400, 3600) == 9
    assert night.most_in(3 * 3600, 60) == 181
    assert night.most_in(86400, 45) is None
