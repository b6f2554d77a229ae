"""promtool's answers, read strictly."""

import math

import pytest

from opsconsole.errors import Nonsense
from opsconsole.rehearse.answers import Sample, failures, samples

SAID = r"""Unit Testing:  a.yml
  FAILED:
    expr: "min_over_time(timestamp(ALERTS{a=\"b\"})[80m:1m]) or vector(3)", time: 1h20m,
        exp: nil
        got: {alertname="A", job="a\"b\\\n,} {\x7f\u00e9"} 1.98E+03, {} 3E+00
    expr: "up", time: 0s,
        exp: {} 3E+00
        got: nil

    expr: "x", time: 500ms, err: query processing would load too many samples into memory
"""


def test_failed_tests_are_told() -> None:
    read, nothing, wrong = failures(SAID)
    assert read.expr == 'min_over_time(timestamp(ALERTS{a="b"})[80m:1m]) or vector(3)'
    assert read.at_seconds == 4800
    assert read.got == (
        Sample((("alertname", "A"), ("job", 'a"b\\\n,} {\x7fé')), 1980.0),
        Sample((), 3.0),
    )
    assert (nothing.at_seconds, nothing.got, nothing.error) == (0.0, (), "")
    assert (wrong.at_seconds, wrong.error[:16]) == (0.5, "query processing")


def test_values_that_are_no_numbers() -> None:
    text = '{a="b"} NaN, {"c.d"="é"} -Inf, {__name__="h"} {{count:3 sum:1 buckets:[1 2]}}, {} 1e-07'
    values = [sample.value for sample in samples(text)]
    assert values == pytest.approx([math.nan, -math.inf, math.nan, 1e-7], nan_ok=True)
    assert [dict(sample.labels) for sample in samples(text)][1] == {"c.d": "é"}


@pytest.mark.parametrize(
    "text",
    [
        '{a="b} 1',
        '{a="b"}',
        '{a="b"}1',
        "{a=b} 1",
        'a="b" 1',
        '{a="b"} one',
        '{a="b"',
        '{"a"} 1',
        "{a} 1",
        "{",
    ],
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(Nonsense, match="cannot be read"):
        list(samples(text))
