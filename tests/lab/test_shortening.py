"""Rules and routes whose durations are shortened: what they say otherwise stays."""

import itertools
import string
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.clients.wire import seconds
from opsconsole.lab.shortening import (
    LEAST_WINDOW_SECONDS,
    shorten_routes,
    shorten_rules,
    shortened,
    shortened_window,
)
from opsconsole.lab.stack import component
from opsconsole.promql import parse, selectors, with_durations

RULES_TEXT = component("billing-alerts.yml")
ROUTES_TEXT = string.Template(component("alertmanager.yml")).substitute(
    smtp_address="127.0.0.1:25", inbox_url="http://127.0.0.1:80"
)


def rules(text: str) -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]}


REFERENCE, SHORT = rules(RULES_TEXT), rules(shorten_rules(RULES_TEXT))


def levelled(text: str) -> str:
    return with_durations(text, lambda _: 1.0)


def windows(text: str) -> list[float]:
    return [each.range_seconds for each in selectors(parse(text)) if each.range_seconds]


@pytest.mark.parametrize(
    ("duration", "short"),
    [("10s", 0.3), ("30s", 0.45), ("5m", 1.0), ("10m", 1.27), ("15m", 1.47), ("20m", 1.62), ("1h", 2.39),
     ("2h", 3.04), ("4h", 3.88), ("6h", 4.47), ("12h", 5.69), ("24h", 7.26), ("0s", 0.0)],
)  # fmt: skip
def test_the_rule(duration: str, short: float) -> None:
    assert shortened(seconds(duration)) == short


@given(st.lists(st.floats(0, 10**8), min_size=2))
def test_what_is_longer_stays_longer_or_equal(durations: list[float]) -> None:
    durations.sort()
    assert [shortened(d) for d in durations] == sorted(shortened(d) for d in durations)
    assert [shortened_window(d) for d in durations] == sorted(shortened_window(d) for d in durations)


def test_no_window_is_below_what_the_scrapes_allow() -> None:
    text = "groups: [{name: a, rules: [{record: b, expr: 'rate(c[2s] offset 2s)'}]}]"
    (rule,) = yaml.safe_load(shorten_rules(text))["groups"][0]["rules"]
    assert rule["expr"] == "rate(c[500ms] offset 170ms)"
    assert LEAST_WINDOW_SECONDS == 0.5


@pytest.mark.parametrize("alert", REFERENCE)
def test_a_rule_is_the_reference_but_for_its_durations(alert: str) -> None:
    before, after = REFERENCE[alert], SHORT[alert]
    assert levelled(after["expr"]) == levelled(before["expr"])
    assert windows(after["expr"]) == [shortened(window) for window in windows(before["expr"])]
    durations = {"expr", "for"}
    assert {k: v for k, v in after.items() if k not in durations} == {
        k: v for k, v in before.items() if k not in durations
    }
    assert after.keys() == before.keys()
    if "for" in before:
        assert seconds(after["for"]) == shortened(seconds(before["for"]))


def test_the_order_of_all_durations_of_the_rules_is_kept() -> None:
    def durations(found: dict[str, dict[str, Any]]) -> list[float]:
        return [
            duration
            for rule in found.values()
            for duration in (*windows(rule["expr"]), *([seconds(rule["for"])] if "for" in rule else ()))
        ]

    for (long, short), (other_long, other_short) in itertools.combinations(
        zip(durations(REFERENCE), durations(SHORT), strict=True), 2
    ):
        assert (long < other_long) == (short < other_short)


def test_groups_keep_their_names_and_shorten_their_intervals() -> None:
    def names(text: str) -> list[str]:
        return [group["name"] for group in yaml.safe_load(text)["groups"]]

    assert names(shorten_rules(RULES_TEXT)) == names(RULES_TEXT)
    text = "groups: [{name: a, interval: 5m, rules: [{alert: b, expr: 'c > 1', keep_firing_for: 10m}]}]"
    (group,) = yaml.safe_load(shorten_rules(text))["groups"]
    assert (group["interval"], group["rules"][0]["keep_firing_for"]) == ("1s", "1s270ms")


def test_routes_shorten_their_timings_alone() -> None:
    before, after = yaml.safe_load(ROUTES_TEXT), yaml.safe_load(shorten_routes(ROUTES_TEXT))
    seen = 0
    pairs = [(before["route"], after["route"])]
    for long, short in pairs:
        assert long.keys() == short.keys()
        for key, value in long.items():
            if key in ("group_wait", "group_interval", "repeat_interval"):
                assert seconds(short[key]) == shortened(seconds(value))
                seen += 1
            elif key == "routes":
                pairs += zip(value, short[key], strict=True)
            else:
                assert short[key] == value
    assert seen == 15
    assert {k: v for k, v in before.items() if k != "route"} == {
        k: v for k, v in after.items() if k != "route"
    }
