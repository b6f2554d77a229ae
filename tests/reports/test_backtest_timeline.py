"""A back-test in plain characters: what a person sees, also without colour and without Unicode."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from opsconsole.rehearse.backtest import Agreement, BackTest, BackTests, Change, Episode
from opsconsole.rehearse.model import Rule
from opsconsole.reports.rehearsal.bars import Bar
from opsconsole.reports.rehearsal.timeline import as_json, lines

HOUR, DAY = 3600.0, 86_400.0
START = 1_795_305_600.0  # 2026-11-22 00:00 UTC
END = START + 10 * DAY


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are local: there it is an hour later."""
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def episode(first: float, last: float | None, **values: Any) -> Episode:
    ended = None if last is None else START + last
    defaults = {
        "labels": {"job": "app", "severity": "page"},
        "pending_at": START + first - 900,
        "peak": 0.14076,
    }
    return Episode(**{**defaults, "firing_at": START + first, "ended_at": ended, **values})


def made(alert: str, *episodes: Episode, **values: Any) -> BackTest:
    spans = tuple((one.firing_at, one.ended_at or END) for one in episodes)
    return BackTest(
        rule=Rule(alert=alert, expr="m > 0", labels={"severity": "page"}),
        step_seconds=30,
        episodes=episodes,
        fired=values.pop("fired", len(episodes)),
        spans=spans,
        seconds_firing=sum(last - first for first, last in spans),
        **values,
    )


HIGH = made(
    "PaymentsFail", episode(DAY + 3 * HOUR, DAY + 4 * HOUR), episode(8 * DAY, 9.5 * DAY), near_misses=1
)
QUIET = made("NothingElse")
BROKEN = BackTest(rule=Rule(alert="Broken", expr="x("), step_seconds=30, error="bad_data: parse error")
STILL = made("StillGoing", episode(9 * DAY, None, pending_at=START + 9 * DAY, peak=float("nan")))
BOTH = BackTests(
    start=START,
    end=END,
    step_seconds=30,
    tests=(HIGH, QUIET, BROKEN, STILL),
    notes=("evaluated every 30 s here",),
    seconds=1.234,
)


def test_what_a_person_sees() -> None:
    assert lines(BOTH, 76) == [
        "4 alerts over 10 d, 2026-11-22 01:00 to 2026-12-02 01:00 CET, in 1.23 s",
        "                                 11-22       11-24       11-27       11-30",
        "PaymentsFail  2 times, 1 d 13 h  ····▂▂····························▅██████··",
        "NothingElse               never  ···········································",
        "Broken        cannot be back-tested: bad_data: parse error",
        "StillGoing            once, 1 d  ······································▂████",
        "a character is 5 h 34 min: · quiet  ▂ fired for less than a third of it  ▅ less than two thirds  "
        "█ more",
        "",
        "PaymentsFail",
        '  2026-11-23 04:00 to 2026-11-23 05:00, 1 h, pending 15 min before, at worst 0.1408, job="app"',
        '  2026-11-30 01:00 to 2026-12-01 13:00, 1 d 12 h, pending 15 min before, at worst 0.1408, job="app"',
        "  note: pending once without firing: shorter than its `for`",
        "",
        "StillGoing",
        '  2026-12-01 01:00 and still, 1 d, job="app"',
        "",
        "note: evaluated every 30 s here",
    ]


def test_without_unicode_the_signs_differ_all_the_same() -> None:
    assert [line[33:] for line in lines(BOTH, 76, ascii=True)[2:4]] == [
        "....--............................=######..",
        "." * 43,
    ]
    assert all(line.isascii() for line in lines(BOTH, 76, ascii=True))


def test_more_episodes_than_are_shown_are_counted() -> None:
    many = made("A", *(episode(n * HOUR, n * HOUR + 60) for n in range(1, 9)), fired=20)
    found = lines(replace(BOTH, tests=(many,)), 90, episodes=3)
    assert sum("2026-11-22" in line for line in found[1:]) == 3
    assert "  and 17 more" in found


def test_what_proposed_rules_would_have_changed() -> None:
    after = made("PaymentsFail", episode(5 * DAY, 5 * DAY + HOUR), episode(8 * DAY, 9.75 * DAY))
    changes = (
        Change(
            name="PaymentsFail",
            before=HIGH,
            after=after,
            new=after.episodes[:1],
            vanished=HIGH.episodes[:1],
            longer=HIGH.episodes[1:],
        ),
        Change(name="Broken", before=QUIET, after=BROKEN),
        Change(name="NothingElse", before=QUIET, after=QUIET),
        Change(
            name="New", before=None, after=replace(STILL, rule=Rule(alert="New", expr="n"), notes=("odd",))
        ),
        Change(name="Gone", before=replace(QUIET, rule=Rule(alert="Gone", expr="n")), after=None),
    )
    found = lines(replace(BOTH, proposed=(after,), changes=changes), 76)
    begin = found.index("with the proposed rules")
    assert found[begin + 1 : -2] == [
        "  PaymentsFail: 2 times, 1 d 19 h, not 2 times, 1 d 13 h: 1 new, 1 vanished, 1 longer",
        "    loaded    2 times, 1 d 13 h  ····▂▂····························▅██████··",
        "    proposed  2 times, 1 d 19 h  ·····················▂············▅███████·",
        "    new: 2026-11-27 01:00 to 2026-11-27 02:00, 1 h, pending 15 min before, at worst 0.1408, "
        'job="app"',
        "    vanished: 2026-11-23 04:00 to 2026-11-23 05:00, 1 h, pending 15 min before, at worst 0.1408, "
        'job="app"',
        "  Broken: cannot be back-tested: bad_data: parse error; as loaded never",
        "  New: only in the proposed rules, once, 1 d",
        "    note: odd",
        "  Gone: only in the loaded rules, never",
        "  1 would have fired as before",
    ]


def test_how_well_the_servers_own_alerts_agree() -> None:
    agreement = (
        Agreement(
            name="PaymentsFail",
            since=START + DAY,
            evidence="the first of its ALERTS",
            seconds_both=5400,
            seconds_only_backtest=30,
            seconds_only_server=570,
            seconds_before=60,
        ),
        Agreement(name="NothingElse", since=START, evidence="the age of its configuration"),
        Agreement(name="Broken", since=None, evidence="too many episodes to compare"),
    )
    found = lines(replace(BOTH, agreement=agreement), 76)
    begin = found.index("agreement with the server's own ALERTS: 90.0% of all firing")
    assert found[begin + 1 : -2] == [
        "  PaymentsFail: 90.0%; both fired 1 h 30 min, the back-test alone 30 s, the server alone 9 min 30 s",
        "  PaymentsFail: 1 min of the back-test not compared, before 2026-11-23 01:00: the server may not "
        "have had the rule then, by the first of its ALERTS",
        "  Broken: not compared: too many episodes to compare",
        "  1 fired neither here nor there",
    ]
    quiet = lines(replace(BOTH, agreement=agreement[1:2]), 76)
    assert "agreement with the server's own ALERTS: neither fired in the time compared" in quiet


def test_control_characters_are_shown_and_never_obeyed() -> None:
    bad = "A\x1b[31m\nB"
    broken = replace(BROKEN, error=f"refused\x1b]0;{bad}", rule=Rule(alert=bad, expr="x"))
    fired = replace(made(bad, episode(DAY, 2 * DAY, labels={"job": bad})), notes=(bad,))
    change = Change(name=bad, before=broken, after=fired)
    agreement = Agreement(name=bad, since=None, evidence=bad)
    everything = replace(
        BOTH,
        tests=(broken, fired),
        proposed=(fired,),
        changes=(change,),
        agreement=(agreement,),
        notes=(bad,),
    )
    text = "".join(lines(everything, 76))
    assert "\x1b" not in text
    assert "\n" not in text


def test_a_server_that_was_down_shows_as_such() -> None:
    bar = Bar(START, END, 10, [(START + 2 * DAY, START + 3.6 * DAY)])
    assert (
        bar.drawn([(START + 2 * DAY, START + 2.1 * DAY), (START + 5 * DAY, START + 5.5 * DAY)])
        == "··▂x·▅····"
    )
    assert bar.legend().endswith("x the server was not running")


@pytest.mark.parametrize(("columns", "seconds"), [(10, 1.0), (97, 3000.0), (40, 1e-9)])
def test_however_short_it_shows(columns: int, seconds: float) -> None:
    bar = Bar(START, END, columns)
    assert bar.drawn([(START + 3 * DAY, START + 3 * DAY + seconds)]).count("·") == columns - (seconds > 1e-6)
    assert bar.drawn([(START, END)]) == "█" * columns
    assert bar.drawn([]) == "·" * columns
    assert len(bar.dates()) <= columns


def test_hours_for_a_short_time() -> None:
    assert Bar(START, START + 6 * HOUR, 30).dates() == "01:00       03:24       05:48"


def test_all_of_it_as_data() -> None:
    change = Change(name="PaymentsFail", before=HIGH, after=QUIET, vanished=HIGH.episodes)
    agreement = Agreement(
        name="PaymentsFail", since=None, evidence="x", seconds_both=1, seconds_only_server=1
    )
    data = json.loads(
        json.dumps(as_json(replace(BOTH, changes=(change,), agreement=(agreement,))), allow_nan=False)
    )
    assert data["tests"][0]["rule"]["alert"] == "PaymentsFail"
    assert data["tests"][0]["episodes"][0]["firing_at"] == START + DAY + 3 * HOUR
    assert data["tests"][3]["episodes"][0]["peak"] is None
    assert data["agreed"] == data["agreement"][0]["share"] == 0.5
    assert (data["changes"][0]["before"], data["changes"][0]["nothing"]) == (True, False)
    assert len(data["changes"][0]["vanished"]) == 2
