"""Routing on its own: timings, recipients, muting, and what it refuses to guess."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.clients.receivers import Target
from opsconsole.clients.routing import AlertmanagerConfig
from opsconsole.clients.silences import silenced, silenced_later
from opsconsole.errors import Nonsense

BILLING = """
route:
  receiver: nobody
  group_by: [alertname]
  routes:
    - matchers: ['component="billing"']
      receiver: info
      group_wait: 1m30s
      routes:
        - matchers: [severity="critical"]
          receiver: pager
          continue: true
          group_wait: 10s
          repeat_interval: 2h
          mute_time_intervals: [nights]
        - match_re: {severity: critical|warning}
          receiver: mail
          active_time_intervals: [work, weekends]
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [component, subsystem]
receivers:
  - name: nobody
  - name: info
    slack_configs: [{channel: '#info', send_resolved: false}]
  - name: pager
    pagerduty_configs: [{routing_key: <secret>, url: http://127.0.0.1/v2/enqueue, send_resolved: true}]
    email_configs: [{to: 'admin@rsolv.dev, oncall@rsolv.dev', send_resolved: false}]
  - name: mail
    email_configs: [{to: admin@rsolv.dev, send_resolved: false}]
    webhook_configs: [{url: <secret>, send_resolved: true}]
mute_time_intervals:
  - name: nights
    time_intervals: [{times: [{start_time: "22:00", end_time: "24:00"}], location: Europe/Berlin}]
time_intervals:
  - name: work
    time_intervals: [{weekdays: ['monday:friday'], times: [{start_time: "09:00", end_time: "17:00"}]}]
  - name: weekends
    time_intervals:
      - {weekdays: [saturday, sunday], days_of_month: ['-7:-1'], months: [february], years: [2028]}
"""
CRITICAL = {"component": "billing", "severity": "critical", "subsystem": "payment"}
WARNING = {**CRITICAL, "severity": "warning"}


OUTSIDE = "outside its active time intervals (work, weekends)"
NIGHT = "muted by the time interval nights"


@pytest.fixture(scope="module")
def config() -> AlertmanagerConfig:
    return AlertmanagerConfig.parse(BILLING)


def test_route_tells_path_and_inherited_settings(config: AlertmanagerConfig) -> None:
    first, second = config.routes(CRITICAL)
    assert str(first) == 'root → component="billing" → severity="critical"'
    assert (first.receiver, first.continue_, first.group_by) == ("pager", True, ("alertname",))
    assert (first.group_wait_seconds, first.repeat_interval_seconds) == (10, 7200)
    assert second.path == ('component="billing"', 'severity=~"critical|warning"')
    assert (second.receiver, second.group_wait_seconds) == ("mail", 90)
    assert (second.group_interval_seconds, second.repeat_interval_seconds) == (300, 14400)


def test_an_alert_that_no_route_wants_ends_on_the_root(config: AlertmanagerConfig) -> None:
    (root,) = config.routes({})
    assert (str(root), root.receiver) == ("root", "nobody")


def test_recipients_of_an_alert_are_those_of_all_its_routes_once_each(config: AlertmanagerConfig) -> None:
    assert config.recipients(CRITICAL) == (
        Target("pagerduty", "http://127.0.0.1/v2/enqueue", True),
        Target("email", "admin@rsolv.dev", False),
        Target("email", "oncall@rsolv.dev", False),
        Target("webhook", "<secret>", True),
    )


def test_recipients_of_a_receiver(config: AlertmanagerConfig) -> None:
    assert config.recipients("info") == (Target("slack", "#info", False),)
    assert config.recipients("nobody") == ()
    with pytest.raises(Nonsense, match=r"no receiver is named pagr(.|\n)*nobody, info, pager, mail"):
        config.recipients("pagr")


PASSED_OVER = """
route:
  receiver: nobody
  routes:
    - {matchers: ['tier="1"'], receiver: first, continue: true}
    - {matchers: ['tier="1"'], receiver: second}
    - matchers: ['tier="1"']
      receiver: third
      routes: [{matchers: ['zone="eu"'], receiver: fourth}]
    - {matchers: ['name="API"', 'zone=~"EU|US"'], receiver: shouted}
    - {matchers: ['name="apis"'], receiver: spelt}
    - {matchers: ['team="web"'], receiver: unlabelled}
    - {matchers: ['team="web"', 'name="apis"'], receiver: far}
    - {matchers: ['name!="api"'], receiver: far}
    - {matchers: ['name="database"'], receiver: far}
receivers:
  - {name: nobody}
  - {name: first}
  - {name: second}
  - {name: third}
  - {name: fourth}
  - {name: shouted}
  - {name: spelt}
  - {name: unlabelled}
  - {name: far}
"""
BEFORE = 'root → tier="1" stands before it, takes the alert, and has no `continue: true`'


def test_routes_that_are_passed_over_and_why() -> None:
    config = AlertmanagerConfig.parse(PASSED_OVER)
    found = config.passed_over({"tier": "1", "name": "api", "zone": "eu"})
    assert {over.route.receiver: over.because for over in found} == {
        "fourth": BEFORE,
        "shouted": 'its matcher name="API" does not pass name="api", whose case differs and '
        'its matcher zone=~"EU|US" does not pass zone="eu", whose case differs',
        "spelt": 'its matcher name="apis" does not pass name="api", which is almost the same',
        "unlabelled": 'its matcher team="web" asks for a label that the alert does not have',
    }
    assert config.passed_over({"tier": "2", "name": "other", "team": "db"}) == []


def test_inhibited_by_a_critical_of_the_same_subsystem(config: AlertmanagerConfig) -> None:
    (found,) = config.inhibited(WARNING, [WARNING, CRITICAL, {**CRITICAL, "subsystem": "webhook"}])
    assert found.source == CRITICAL
    assert found.rule == 'severity="critical" mutes severity="warning" where equal on component, subsystem'
    assert config.inhibited(CRITICAL, [CRITICAL, WARNING]) == []


WARNING_MUTES_CRITICAL = """
route: {receiver: r}
receivers: [{name: r}]
inhibit_rules:
  - {source_matchers: [severity=~"warning|critical"], target_matchers: [severity="critical"], equal: [team]}
  - {source_matchers: [severity="Warning"], target_matchers: [severity=~"critical|page"], equal: [team]}
  - {source_matchers: [alertname="Maintenance"], target_matchers: [team=~".+"]}
"""


def _severe(severity: str, name: str = "A", team: str = "db") -> dict[str, str]:
    return {"alertname": name, "severity": severity, "team": team}


@pytest.mark.parametrize(
    ("target", "source", "certain"),
    [
        (_severe("critical"), _severe("Warning"), [True]),
        (_severe("critical"), _severe("warning"), [False]),
        (_severe("critical"), _severe("critical", "B"), []),
        (_severe("critical"), _severe("Warning", team="web"), []),
        (_severe("page"), _severe("Warning"), [True]),
        (_severe("warning"), _severe("critical", "Maintenance"), []),
        (_severe("warning"), _severe("info", "Maintenance"), [True]),
        (_severe("warning"), _severe("none", "Maintenance"), []),
        (_severe("P1"), _severe("info", "Maintenance"), []),
        (_severe("critical"), {"alertname": "Maintenance", "severity": "info"}, [True]),
    ],
    ids=[
        "a warning", "both are sources", "its equal", "of another team", "a page", "the more severe one",
        "the source a target, too", "a severity unknown", "its own unknown", "no target itself",
    ],
)  # fmt: skip
def test_what_is_muted_by_a_less_severe_one(
    target: dict[str, str], source: dict[str, str], certain: list[bool]
) -> None:
    config = AlertmanagerConfig.parse(WARNING_MUTES_CRITICAL)
    found = list(config.wrong_way_round([source, source, target]).muting(target))
    assert [one.source for one in found] == [source] * len(certain)
    assert [one.certain for one in found] == certain


def test_labels_missing_on_both_sides_are_equal(config: AlertmanagerConfig) -> None:
    critical, warning = {"severity": "critical"}, {"severity": "warning"}
    assert config.inhibited(warning, [critical])
    assert not config.inhibited({**warning, "subsystem": "payment"}, [critical])


def test_could_inhibit_leaves_open_what_is_not_given(config: AlertmanagerConfig) -> None:
    assert config.could_inhibit(WARNING, [{"severity": "critical"}, {"component": "billing"}])
    assert not config.could_inhibit(WARNING, [{"severity": "critical", "subsystem": "webhook"}])
    assert not config.could_inhibit(CRITICAL, [CRITICAL])


@pytest.mark.parametrize(
    ("at", "pager", "mail"),
    [
        ("2026-07-06T10:00Z", None, None),  # a Monday
        ("2026-07-06T17:00Z", None, OUTSIDE),
        ("2026-07-06T08:59Z", None, OUTSIDE),
        ("2026-07-06T20:00Z", NIGHT, OUTSIDE),
        ("2026-01-05T20:59Z", None, OUTSIDE),
        ("2026-01-05T21:00Z", NIGHT, OUTSIDE),
        ("2028-02-27T10:00Z", None, None),  # a Sunday in the last week of a leap year's February
        ("2028-02-20T10:00Z", None, OUTSIDE),
        ("2027-02-27T10:00Z", None, OUTSIDE),
    ],
)  # fmt: skip
def test_muted_now(config: AlertmanagerConfig, at: str, pager: str | None, mail: str | None) -> None:
    routes = config.routes(CRITICAL)
    assert [config.muted_now(route, datetime.fromisoformat(at)) for route in routes] == [pager, mail]


CLOCKS = """
route:
  receiver: r
  routes:
    - {matchers: ['n="0"'], mute_time_intervals: [berlin]}
    - {matchers: ['n="1"'], active_time_intervals: [berlin, weekend]}
    - {matchers: ['n="2"'], mute_time_intervals: [island, weekend]}
    - {matchers: ['n="3"'], active_time_intervals: [always]}
receivers: [{name: r}]
time_intervals:
  - name: berlin
    time_intervals:
      - {times: [{start_time: "02:30", end_time: "03:15"}], location: Europe/Berlin}
      - {times: [{start_time: "22:00", end_time: "24:00"}], weekdays: [monday], location: Europe/Berlin}
  - name: island
    time_intervals: [{times: [{start_time: "01:45", end_time: "02:10"}], location: Australia/Lord_Howe}]
  - name: weekend
    time_intervals: [{weekdays: [saturday, sunday]}]
  - name: always
    time_intervals: [{times: [{start_time: "00:00", end_time: "24:00"}]}]
"""


@pytest.mark.parametrize(
    "at",
    [
        "2026-03-28T12:00:59Z",  # before the clocks of Berlin go forward
        "2026-10-24T12:00Z",  # before they go back
        "2026-10-25T00:50Z",  # between the two hours of one name
        "2026-10-03T10:00Z",  # before those of Lord Howe go forward, by half an hour
        "2026-04-04T10:00Z",  # and back
        "2026-07-10T23:59:30Z",  # a Friday
        "2026-07-06T10:00Z",  # a Monday
    ],
)
def test_muted_next_is_the_first_minute_that_is_muted(at: str) -> None:
    config, now = AlertmanagerConfig.parse(CLOCKS), datetime.fromisoformat(at)
    minutes = [now.replace(second=0) + timedelta(minutes=n) for n in range(1, 24 * 60 + 1)]
    for number in "0123":
        (route,) = config.routes({"n": number})
        until = now + timedelta(days=1)
        muted = ((m, why) for m in minutes if m < until and (why := config.muted_now(route, m)))
        first = next(muted, None)
        found = config.muted_next(route, now, until)
        if config.muted_now(route, now):
            assert found is None or config.muted_now(route, found[0])
        else:
            assert found == first


def test_a_route_without_the_intervals_that_are_meant(config: AlertmanagerConfig) -> None:
    pager, mail = config.routes(CRITICAL)
    assert pager.without(["nights"]).mute_time_intervals == ()
    assert mail.without(["work"]).active_time_intervals == ("work", "weekends")
    assert mail.without(["work", "weekends"]).active_time_intervals == ()


def test_group_by_all() -> None:
    config = AlertmanagerConfig.parse("route: {receiver: r, group_by: ['...']}\nreceivers: [{name: r}]")
    assert config.routes({})[0].group_by == ("...",)


AT = datetime(2026, 7, 6, 10, 30, tzinfo=UTC)
SILENCE = {
    "id": "s1",
    "matchers": [{"name": "team", "value": "db|web", "isRegex": True}],
    "startsAt": "2026-07-06T10:00:00.123456789Z",
    "endsAt": "2026-07-06T13:00:00+02:00",
}


def test_a_silence_counts_only_within_its_time() -> None:
    over = SILENCE | {"id": "s2", "endsAt": "2026-07-06T12:29:59+02:00"}
    assert [each.id for each in silenced({"team": "db"}, [over, SILENCE], AT)] == ["s1"]
    assert not silenced({"team": "dba"}, [SILENCE], AT)


def test_silences_to_come_in_their_order() -> None:
    later = SILENCE | {"id": "s3", "startsAt": "2026-07-06T12:50:00Z", "endsAt": "2026-07-06T13:00:00Z"}
    soon = SILENCE | {"id": "s2", "startsAt": "2026-07-06T13:30:00+02:00", "endsAt": "2026-07-06T13:00:00Z"}
    called_off = later | {"id": "s4", "endsAt": later["startsAt"]}
    found = silenced_later({"team": "db"}, [later, SILENCE, soon, called_off], AT)
    assert [each.id for each in found] == ["s2", "s3"]
    assert not silenced_later({"team": "dba"}, [later], AT)


@pytest.mark.parametrize(
    "damage", [{"matchers": []}, {"matchers": [{}]}, {"matchers": None}, {"endsAt": "soon"}, {"startsAt": 3}]
)
def test_a_silence_that_cannot_be_read_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises(Nonsense, match="a silence cannot be read"):
        silenced({}, [SILENCE | damage], AT)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a mapping"),
        ("a: [", "not YAML"),
        ("a: 2020-99-99", "not YAML"),
        ("receivers: []", "no root route"),
        ("route: {receiver: r}", "names the receiver r, which is not there"),
        ("route: &r {receiver: r, routes: [*r]}", "contains itself"),
        ("route: {receiver: r, routes: [{matchers: 'a=b'}]}", "matchers is not a list"),
        ("route: {receiver: r, routes: [{matcher: [a=b]}]}", "the setting matcher is not known here"),
        ("route: {receiver: r, routes: [{matchers: ['a=~(?=b)']}]}", "lookahead"),
        ("route: {receiver: r, routes: [{matchers: ['a=~\\pL']}]}", "cannot evaluate"),
        ("route: {receiver: r, routes: [{matchers: ['!']}]}", "cannot parse matcher"),
        ("route: {receiver: r, group_wait: soon}", "not a valid duration"),
        ("route: {receiver: r, mute_time_intervals: [t]}", "names the time interval t, which is not there"),
        ("route: {receiver: r}\ninhibit_rules: [{sources: []}]", "the setting sources is not known here"),
        ("route: {receiver: r}\ntime_intervals: [{name: t, time_intervals: [{location: Local}]}]", "Local"),
        (
            "route: {receiver: r}\ntime_intervals: [{name: t, time_intervals: [{location: A/B}]}]",
            "no time zone",
        ),
        ("route: {receiver: r}\ntime_intervals: [{name: t, time_intervals: [{weeks: [1]}]}]", "weeks"),
        ("route: {receiver: r}\ntime_intervals: [{name: t, time_intervals: [{years: [x]}]}]", "years"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(text: str, message: str) -> None:
    receivers = "" if message.endswith("receiver r, which is not there") else "\nreceivers: [{name: r}]"
    with pytest.raises(Nonsense, match=message):
        AlertmanagerConfig.parse(text + (receivers if "route" in text else ""))


@given(st.data())
def test_damaged_text_is_read_or_refused(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(BILLING)))
    stop = data.draw(st.integers(start, min(start + 40, len(BILLING))))
    filling = data.draw(
        st.sampled_from(["", "[", "{", "- ", "null", "3", "~", ": ", "*a", "\x00", "é", "!!python/x "])
    )
    try:
        config = AlertmanagerConfig.parse(BILLING[:start] + filling + BILLING[stop:])
    except Nonsense:
        return
    for route in config.routes(CRITICAL):
        config.recipients(route.receiver)


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.dates(), st.text(max_size=3))
KEYS = st.sampled_from(
    [
        "route",
        "receivers",
        "routes",
        "receiver",
        "name",
        "matchers",
        "match",
        "inhibit_rules",
        "equal",
        "times",
    ]
)
TREES = st.recursive(LEAVES, lambda each: st.one_of(st.lists(each, max_size=3), st.dictionaries(KEYS, each)))


@given(st.dictionaries(KEYS, TREES))
def test_any_tree_is_read_or_refused(tree: dict[str, Any]) -> None:
    try:
        config = AlertmanagerConfig.parse(yaml.safe_dump(tree))
    except Nonsense:
        return
    config.recipients({})
