"""Moments, durations and numbers as servers write them."""

import math
from datetime import UTC, datetime

import pytest

from opsconsole.clients.wire import number, seconds, unix
from opsconsole.errors import Nonsense


def test_gos_zero_time_is_never() -> None:
    assert unix(datetime(1, 1, 1, tzinfo=UTC)) == 0.0
    assert unix(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("0s", 0),
        ("200ms", 0.2),
        ("1h30m", 5400),
        ("1h0m0s", 3600),
        ("15d", 1_296_000),
        ("1.5s", 1.5),
    ],
)
def test_a_duration(text: str, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "1", "s", "-1s", "1 s", "1h-", "١s", "1fortnight"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("1", 1), ("-0.5", -0.5), ("1e+00", 1), ("+Inf", math.inf), ("-Inf", -math.inf)]
)
def test_a_number(text: str, expected: float) -> None:
    assert number(text, "server") == expected


def test_not_a_number_is_a_value() -> None:
    assert math.isnan(number("NaN", "server"))


@pytest.mark.parametrize("text", ["", "1_0", " 1", "infinity", "nan", "0x1p3", "1e", "١"])
def test_no_number(text: str) -> None:
    with pytest.raises(Nonsense, match="no number"):
        number(text, "server")
