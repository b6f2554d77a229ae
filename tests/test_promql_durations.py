"""Expressions whose durations change, and nothing else of them."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.errors import Nonsense
from opsconsole.lab.stack import component
from opsconsole.promql import pretty, with_durations

REFERENCE = {
    rule["alert"]: rule["expr"]
    for group in yaml.safe_load(component("billing-alerts.yml"))["groups"]
    for rule in group["rules"]
}


def levelled(text: str) -> str:
    """The expression with every duration a second: what two have in common that differ in durations alone."""
    return with_durations(text, lambda seconds: 1.0 if seconds > 0 else -1.0)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("rate(a[5m])", "rate(a[635ms])"),
        ("rate(a[10m])", "rate(a[1s270ms])"),
        ('a{b=~"[5m] offset 5m",c="\\"5m\\n"}', 'a{b=~"[5m] offset 5m",c="\\"5m\\n"}'),
        ("a offset 10m", "a offset 1s270ms"),
        ("a offset -10m @ start()", "a @ start() offset -1s270ms"),
        ("rate(a[20m] @ 600 offset 10m)", "rate(a[2s540ms] @ 600.000 offset 1s270ms)"),
        ("max_over_time(a[20m:10m] offset 5m)", "max_over_time(a[2s540ms:1s270ms] offset 635ms)"),
        ("max_over_time(a[20m:])", "max_over_time(a[2s540ms:])"),
        (
            "sum_over_time(rate(a[10m] offset 20m)[20m:5m])",
            "sum_over_time(rate(a[1s270ms] offset 2s540ms)[2s540ms:635ms])",
        ),
        ("a > 600", "a > 600"),
        ("a offset 100ms", "a"),
        ("vector(time())", "vector(time())"),
    ],
)
def test_ranges_steps_and_offsets_are_changed_and_nothing_else(text: str, changed: str) -> None:
    assert pretty(with_durations(text, lambda seconds: seconds * 1.27 / 600)) == pretty(changed)


def test_windows_may_change_in_another_way() -> None:
    text = "max_over_time(rate(a[5m] offset 5m)[5m:5m])"
    changed = with_durations(text, lambda _: 3.0, lambda _: 7.0)
    assert pretty(changed) == pretty("max_over_time(rate(a[7s] offset 3s)[7s:3s])")


@pytest.mark.parametrize("text", ["rate(a[5m])", "max_over_time(a[5m:1m])", "max_over_time(a[5m:])"])
def test_a_range_never_becomes_nothing(text: str) -> None:
    with pytest.raises(ValueError, match="above nothing"):
        with_durations(text, lambda _: 0.0)


def test_what_is_not_promql_is_refused() -> None:
    with pytest.raises(Nonsense):
        with_durations("rate(a[5m]", lambda seconds: seconds)


@pytest.mark.parametrize("alert", REFERENCE)
def test_a_rule_stays_what_it_was_but_for_its_durations(alert: str) -> None:
    changed = with_durations(REFERENCE[alert], lambda seconds: seconds / 100)
    assert pretty(changed) != pretty(REFERENCE[alert])
    assert levelled(changed) == levelled(REFERENCE[alert])


DURATIONS = st.integers(1, 10**9).map(lambda milliseconds: f"{milliseconds}ms")
STRINGS = st.text(st.characters(codec="utf-8", exclude_characters='\\"\n\r\0'), max_size=8)
MATCHERS = st.builds(
    "{{{}{}{}}}".format,
    st.sampled_from(["job", "le", "x"]),
    st.sampled_from(["=", "!="]),
    STRINGS.map('"{}"'.format),
)
SHIFTS = st.builds(
    "{}{}".format,
    st.sampled_from(["", " @ start()", " @ end()", " @ 12.5"]),
    st.one_of(st.just(""), DURATIONS.map(" offset {}".format), DURATIONS.map(" offset -{}".format)),
)
BARE = st.builds("{}{}".format, st.sampled_from(["a", "b:c"]), st.one_of(st.just(""), MATCHERS))
LEAVES = st.one_of(
    st.builds("{}{}".format, BARE, SHIFTS),
    st.builds("rate({}[{}]{})".format, BARE, DURATIONS, SHIFTS),
    st.just("vector(300)"),
)


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    step = st.one_of(st.just(""), DURATIONS)
    return st.one_of(
        st.builds("({}) {} ({})".format, inner, st.sampled_from(["/", ">", "and on (job)", "or"]), inner),
        st.builds("sum by (job, le) ({})".format, inner),
        st.builds("-({})".format, inner),
        st.builds("max_over_time(({})[{}:{}]{})".format, inner, DURATIONS, step, SHIFTS),
        st.builds("histogram_quantile(0.9, {})".format, inner),
    )


EXPRESSIONS = st.recursive(LEAVES, larger, max_leaves=6)


@given(EXPRESSIONS)
def test_unchanged_durations_leave_the_expression(text: str) -> None:
    assert with_durations(text, lambda seconds: seconds) == pretty(text)


@given(EXPRESSIONS)
def test_any_expression_stays_what_it_was_but_for_its_durations(text: str) -> None:
    changed = with_durations(text, lambda seconds: seconds * 3)
    assert levelled(changed) == levelled(text)
    assert with_durations(changed, lambda seconds: seconds / 3) == pretty(text)
