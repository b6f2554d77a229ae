"""A back-test: episodes, what the server cannot evaluate, proposed rules, and the server's own ALERTS."""

from dataclasses import replace
from typing import Any

import pytest

from opsconsole.clients.prometheus import QueryError
from opsconsole.clients.prometheus import Rule as Loaded
from opsconsole.errors import TimedOut, Unreachable
from opsconsole.rehearse.backtest import BackTest, BackTests, Change, backtest, tally
from opsconsole.rehearse.backtest.labels import Labelling
from opsconsole.rehearse.backtest.records import NotInHistory, self_contained, unrecorded
from opsconsole.rehearse.model import Rule
from tests.rehearse.scripted import Labels, Script, Scripted, during, nothing, together

FIRST = 1_000_020.0  # a whole minute
MINUTES = 600


def at(minute: float) -> float:
    return FIRST + 60 * minute


def minutes(moment: float | None) -> float | None:
    return None if moment is None else (moment - FIRST) / 60


def rule(alert: str = "A", expr: str = "m > 0", **values: Any) -> Rule:
    return Rule(alert=alert, expr=expr, **{"interval_seconds": 60.0, **values})


def recording(name: str, expr: str, **labels: str) -> Rule:
    return Rule(record=name, expr=expr, labels=labels)


async def run(answers: Scripted, *rules: Rule, **options: Any) -> BackTests:
    return await backtest(answers.client, rules, **{"start": at(0), "end": at(MINUTES), **options})


async def one(script: Script, **values: Any) -> BackTest:
    (test,) = (await run(Scripted({"m > 0": script}), rule(**values))).tests
    return test


def shown(test: BackTest | None) -> list[tuple[float | None, ...]]:
    """Pending, firing, ended, in minutes."""
    assert test
    assert not test.error
    return [(minutes(e.pending_at), minutes(e.firing_at), minutes(e.ended_at)) for e in test.episodes]


async def test_when_an_alert_fires_how_often_and_how_long() -> None:
    script = during((at(10), at(30)), (at(50), at(54)), (at(60), at(70)), value=3.5, job="app", __name__="m")
    test = await one(script, for_seconds=300, labels={"severity": "page"})
    assert shown(test) == [(10, 15, 30), (60, 65, 70)]
    assert (test.fired, test.near_misses, test.seconds_firing) == (2, 1, 1200)
    assert test.spans == ((at(15), at(30)), (at(65), at(70)))
    assert (test.episodes[0].labels, test.episodes[0].peak) == ({"job": "app", "severity": "page"}, 3.5)


async def test_several_series_fire_each_by_itself() -> None:
    test = await one(together(during((at(10), at(30)), pod="a"), during((at(20), at(40)), pod="b")))
    assert shown(test) == [(10, 10, 30), (20, 20, 40)]
    assert test.seconds_firing == 1800


async def test_what_fires_at_the_end_has_not_ended() -> None:
    test = await one(during((at(590), 2e6)))
    assert shown(test) == [(590, 590, None)]
    assert test.seconds_firing == 600


async def test_what_was_active_before_the_start_has_waited() -> None:
    test = await one(during((at(-60), at(5))), for_seconds=1200, keep_firing_for_seconds=600)
    assert shown(test) == [(-30, -10, 15)]
    assert test.seconds_firing == 900


async def test_what_was_over_before_the_start_is_left_out() -> None:
    """Also where the expression is asked for earlier moments, as another rule needs them."""
    answers = Scripted({"m > 0": during((at(-30), at(-20)))})
    _, test = (await run(answers, rule(for_seconds=3600), rule("B"))).tests
    assert shown(test) == []
    assert test.fired == test.near_misses == 0


async def test_a_history_that_begins_later_is_not_taken_for_silence() -> None:
    answers = Scripted({"absent(m)": during((at(-60), at(5)))}, history=during((at(3), 2e6)))
    tests = await run(answers, rule(expr="absent(m)", for_seconds=3600))
    assert at(3) <= tests.start <= at(3) + 5
    assert tests.tests[0].near_misses == 1
    assert shown(tests.tests[0]) == []


@pytest.mark.parametrize(("expr", "peak"), [("m < 9", 1.0), ("m > 0", 5.0), ("m", 5.0)])
async def test_the_peak_is_furthest_from_calm(expr: str, peak: float) -> None:
    values = {at(10): 3.0, at(11): 1.0, at(12): 5.0, at(13): float("nan")}
    script: Script = lambda now: {(): values[now]} if now in values else {}  # noqa: E731
    (test,) = (await run(Scripted({expr: script}), rule(expr=expr))).tests
    assert test.episodes[0].peak == peak


@pytest.mark.parametrize(
    ("interval", "hours", "step"),
    [(None, 10, 30), (15, 10, 15), (60, 400, 60), (1, 100, 30), (25, 100, 50), (1, 3, 1)],
)
async def test_the_step_is_the_groups_interval_where_it_can_be(
    interval: float | None, hours: int, step: float
) -> None:
    answers = Scripted({"m > 0": nothing})
    tests = await run(answers, rule(interval_seconds=interval), end=at(60 * hours))
    assert tests.tests[0].step_seconds == step
    assert any("can be missed" in note for note in tests.notes) is ((interval or step) < step)


async def test_evaluations_are_when_the_servers_own_are() -> None:
    loaded = server_rule(last_evaluation=at(5) + 17.25)
    answers = Scripted({"m > 0": during((at(10), at(20)))}, rules=[loaded])
    (test,) = (await run(answers, rule(group="g"))).tests
    assert test.episodes[0].firing_at == at(10) + 17.25
    assert test.episodes[0].ended_at == at(20) + 17.25


async def test_nothing_fires_while_the_server_is_down() -> None:
    up = during((0, at(100)), (at(130), 2e6))
    answers = Scripted({"m > 0": during((at(50), at(200)))}, up=up)
    tests = await run(answers, rule())
    assert [(minutes(a), minutes(b)) for a, b in tests.outages] == [(95, 130)]
    assert shown(tests.tests[0]) == [(50, 50, 95), (130, 130, 200)]


async def test_a_history_without_up_is_no_outage() -> None:
    tests = await run(Scripted({"m > 0": during((at(50), at(200)))}, up=during((at(590), 2e6))), rule())
    assert tests.outages == ()


async def test_two_alerts_with_the_same_labels_fail_the_evaluation() -> None:
    """As in Prometheus, and what was firing stays as it was until an evaluation succeeds."""
    a = during((at(10), at(50)), __name__="a")
    b = during((at(20), at(30)), __name__="b")
    test = await one(together(a, b))
    assert shown(test) == [(10, 10, 50)]
    assert any("10 evaluations fail" in note for note in test.notes)
    assert shown(await one(together(during((at(10), at(25)), __name__="a"), b))) == [(10, 10, 30)]


async def test_more_episodes_than_are_kept_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MOST_EPISODES", 2)
    test = await one(during(*((at(10 * n), at(10 * n + 1)) for n in range(5))))
    assert (len(test.episodes), test.fired, test.seconds_firing) == (2, 5, 300)


def refused(*spans: tuple[float, float], why: str = "execution: many-to-many matching") -> Script:
    def script(now: float) -> dict[Labels, float]:
        if any(first <= now < last for first, last in spans):
            raise QueryError(why)
        return {(): 1.0} if now >= at(300) else {}

    return script


async def test_a_rule_that_fails_has_an_error_and_the_others_go_on() -> None:
    def late(now: float) -> dict[Labels, float]:
        raise TimedOut("no answer within 10 s")

    scripts = {
        "bad(": refused((0, 2e6), why="bad_data: parse error"),
        "twice": refused((0, 2e6)),
        "slow": late,
        "m > 0": during((at(1), at(2))),
    }
    rules = [rule(expr, expr) for expr in scripts]
    answers = Scripted(scripts)
    tests = await run(answers, *rules)
    errors = {test.rule.alert: test.error for test in tests.tests}
    assert errors == {
        "bad(": "bad_data: parse error",
        "twice": "execution: many-to-many matching",
        "slow": "no answer within 10 s",
        "m > 0": "",
    }
    assert [agreement.name for agreement in tests.agreement] == ["m > 0"]
    assert answers.asked.count("bad(") == 1
    assert answers.asked.count("twice") < 100


@pytest.mark.parametrize(
    "expr", ["m @ end() > 0", "rate(m[5m] @ start()) > 0", "sum_over_time(m[1h:1m] @ end()) > 0"]
)
async def test_what_means_another_time_in_a_range_is_not_asked(expr: str) -> None:
    answers = Scripted({})
    tests = await run(answers, rule(expr=expr), rule("B", "m @ 1000 > 0"))
    assert ["@ start() or @ end()" in test.error for test in tests.tests] == [True, False]
    assert expr not in answers.asked


async def test_what_is_too_much_to_ask_of_the_history_is_done_without() -> None:
    answers = Scripted({"m > 0": during((at(10), at(20)))}, history=refused((0, 2e6)), up=refused((0, 2e6)))
    tests = await run(answers, rule())
    assert (tests.start, tests.outages, shown(tests.tests[0])) == (at(0), (), [(10, 10, 20)])


async def test_a_server_that_is_gone_is_told() -> None:
    def gone(now: float) -> dict[Labels, float]:
        raise Unreachable("connection refused")

    with pytest.raises(Unreachable):
        await run(Scripted({"m > 0": gone}), rule())


async def test_an_expression_that_fails_for_a_while_is_tested_for_the_rest() -> None:
    answers = Scripted({"m > 0": refused((at(100), at(103)))})
    (test,) = (await run(answers, rule())).tests
    assert shown(test) == [(300, 300, None)]
    (note,) = test.notes
    assert note.startswith("the server cannot evaluate it for ")
    assert 180 <= float(note.split()[6]) <= 1200
    assert note.endswith("many-to-many matching")


@pytest.mark.parametrize("most_points", [40, 1000])
async def test_what_is_too_much_at_once_is_asked_in_less(most_points: int) -> None:
    some = [during((at(10 + pod), at(500)), pod=str(pod)) for pod in range(4)]
    answers = Scripted({"m > 0": together(*some)}, most_points=most_points)
    (test,) = (await run(answers, rule())).tests
    assert shown(test) == [(10 + pod, 10 + pod, 500) for pod in range(4)]


async def test_what_is_too_much_even_for_a_few_moments_is_an_error() -> None:
    some = together(*(during((0, 2e6), pod=str(pod)) for pod in range(41)))
    (test,) = (await run(Scripted({"m > 0": some}, most_points=320), rule())).tests
    assert "too many samples" in test.error


async def test_progress_is_told_and_the_same_expression_asked_once() -> None:
    told: list[tuple[int, int, str]] = []
    answers = Scripted({})
    rules = [rule("A", for_seconds=60), rule("B", "m  >  0"), rule("C", "n > 0")]
    await run(answers, *rules, proposed=[rule("A")], on_progress=lambda *each: told.append(each))
    assert [expr for expr in answers.asked if expr in ("m > 0", "m  >  0", "n > 0")] == ["m > 0", "n > 0"]
    assert told[-1][0] == told[-1][1] == sum((MINUTES + 1 + 1, MINUTES + 1))


# Proposed rules


async def changed(before: Rule, after: Rule, scripts: dict[str, Script]) -> Change:
    (change,) = (await run(Scripted(scripts), before, proposed=[after])).changes
    return change


def begun(episodes: Any) -> list[float | None]:
    return [minutes(episode.firing_at) for episode in episodes]


async def test_what_proposed_rules_would_have_changed() -> None:
    before = during((at(10), at(20)), (at(100), at(110)), (at(200), at(210)), (at(300), at(330)), job="a")
    after = during((at(10), at(20)), (at(100), at(120)), (at(310), at(320)), (at(400), at(410)), job="a")
    change = await changed(rule(), rule(expr="n"), {"m > 0": before, "n": after})
    assert begun(change.new) == [400]
    assert begun(change.vanished) == [200]
    assert begun(change.longer) == [100]
    assert begun(change.shorter) == [300]
    assert not change.nothing


async def test_a_label_that_is_summed_away_or_given_by_the_rule_makes_no_new_episode() -> None:
    by_pod = together(during((at(10), at(20)), job="a", pod="1"), during((at(40), at(50)), job="b", pod="2"))
    by_job = together(during((at(10), at(20)), job="a"), during((at(40), at(50)), job="a"))
    change = await changed(
        rule(labels={"severity": "info"}),
        rule(expr="n", labels={"severity": "page"}),
        {"m > 0": by_pod, "n": by_job},
    )
    assert begun(change.new) == begun(change.vanished) == [40]


async def test_rules_that_only_one_side_has() -> None:
    proposed = [rule("New"), rule("Same"), recording("x", "y")]
    tests = await run(
        Scripted({"m > 0": during((at(1), at(2)))}), rule("Gone"), rule("Same"), proposed=proposed
    )
    found = {
        change.name: (bool(change.before), bool(change.after), change.nothing) for change in tests.changes
    }
    assert found == {
        "New": (False, True, False),
        "Gone": (True, False, False),
        "Same": (True, True, True),
    }
    assert [test.rule.alert for test in tests.proposed] == ["New", "Same"]


async def test_of_several_rules_of_a_name_those_with_the_same_labels_belong_together() -> None:
    page, info = {"severity": "page"}, {"severity": "info"}
    scripts = {"a": during((at(1), at(2))), "b": during((at(5), at(6)))}
    loaded = [rule(expr="a", labels=page), rule(expr="b", labels=info)]
    tests = await run(Scripted(scripts), *loaded, proposed=[loaded[1], loaded[0]])
    assert [change.nothing for change in tests.changes] == [True, True]


async def test_a_proposed_rule_is_evaluated_when_the_loaded_one_is() -> None:
    answers = Scripted({"m > 0": during((at(10), at(20)))}, rules=[server_rule(last_evaluation=at(5) + 17)])
    loaded = rule(group="g")
    tests = await run(answers, loaded, proposed=[rule(group="other", interval_seconds=None)])
    assert tests.changes[0].nothing
    assert tests.proposed[0].episodes == tests.tests[0].episodes


async def test_what_a_proposed_recording_rule_would_have_recorded_is_put_in_its_place() -> None:
    answers = Scripted({})
    proposed = [
        recording("job:x", "sum by (job) (x)"),
        rule(expr="job:x > 5"),
        rule("B", "rate(job:x[5m]) > 5"),
    ]
    tests = await run(answers, proposed=proposed)
    assert "((sum by (job) (x))) > 5" in " ".join(" ".join(answers.asked).split())
    assert tests.proposed[0].error == ""
    assert "over a range" in tests.proposed[1].error


RECORDED = [
    recording("a:x", "sum(x)", team="pay$1"),
    recording("b:x", "a:x * 2"),
    recording("c:x", "up"),
    recording("c:x", "down", side="two"),
    recording("d:x", "d:x + 1"),
    recording("e:x", "1 + time()"),
]


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("up > 1", "up > 1"),
        ("a:x > 1", '(label_replace((sum(x)), "team", "pay$$1", "", "")) > 1'),
        ('{__name__="c:x"}', '((up) or label_replace((down), "side", "two", "", ""))'),
        ("b:x", '(((label_replace((sum(x)), "team", "pay$$1", "", "")) * 2))'),
        ("e:x > 0", "(vector(1 + time())) > 0"),
        ("max_over_time(b:x[1h:1m])", "[1h:1m]"),
    ],
    ids=["none", "labels", "two", "nested", "scalar", "subquery"],
)
def test_recording_rules_in_place_of_their_names(expr: str, expected: str) -> None:
    found = " ".join(self_contained(expr, unrecorded([], RECORDED)).split())
    assert expected.replace(" ", "") in found.replace(" ", "")


@pytest.mark.parametrize(
    ("expr", "why"),
    [
        ("rate(a:x[5m])", "over a range"),
        ("a:x offset 5m", "at another time"),
        ("a:x @ 0", "at another time"),
        ('a:x{job="x"}', "with matchers"),
        ('{__name__=~"a:.*"}', "by a pattern"),
        ("d:x", "recorded from itself"),
    ],
)
def test_recording_rules_that_cannot_be_replaced(expr: str, why: str) -> None:
    with pytest.raises(NotInHistory, match=why):
        self_contained(expr, unrecorded([], RECORDED))


def test_what_the_history_has_is_read_from_it() -> None:
    """Recording rules that are loaded as they are proposed; a changed one changes those that rest on it."""
    assert unrecorded(RECORDED, RECORDED) == {}
    assert unrecorded(RECORDED, [recording("b:x", "a:x  *  2")]) == {}
    changed = [replace(RECORDED[0], expr="sum(y)"), *RECORDED[1:]]
    assert set(unrecorded(RECORDED, changed)) == {"a:x", "b:x"}


# Labels


def test_templates_of_labels_are_filled_in_where_they_only_name_labels() -> None:
    labels = {
        "plain": "a",
        "from": "{{ $labels.job }}-{{- .Labels.pod -}}",
        "gone": "{{ $labels.none }}",
        "job": "over",
        "level": "{{ if gt $value 9.0 }}high{{ end }}",
        "__x": "",
    }
    labelling = Labelling(rule(labels=labels))
    alert = labelling.of({"__name__": "m", "job": "app", "pod": "1", "level": "own"})
    assert dict(alert) == {"plain": "a", "from": "app-1", "job": "over", "pod": "1", "level": "own"}
    assert "level" not in labelling.shown(alert)
    assert [note.split()[0] for note in labelling.notes()] == ["left", "level"]
    assert Labelling(rule(labels={"plain": "a"})).notes() == []


# The server's own ALERTS


def server_rule(*, last_evaluation: float) -> Loaded:
    return Loaded(
        kind="alerting",
        name="A",
        expr="m > 0",
        for_seconds=0.0,
        keep_firing_for_seconds=0.0,
        labels={},
        annotations={},
        state="inactive",
        health="ok",
        last_error="",
        last_evaluation=last_evaluation,
        evaluation_seconds=0.0,
        group="g",
        file="f",
        interval_seconds=60.0,
        alerts=[],
    )


def alerts(*spans: tuple[float, float], state: str = "firing", **labels: str) -> Script:
    return during(*spans, labels={"__name__": "ALERTS", "alertname": "A", "alertstate": state, **labels})


async def test_how_well_the_servers_own_alerts_agree() -> None:
    script = together(during((at(100), at(120)), job="a"), during((at(200), at(210)), job="b"))
    own = together(
        alerts((at(50), at(51)), state="pending", severity="page", job="z"),
        alerts((at(102), at(121)), severity="page", job="a"),
        alerts((at(205), at(210)), severity="page", job="c"),
        alerts((at(10), at(500)), alertname="Other"),
    )
    tests = await run(Scripted({"m > 0": script}, alerts=own), rule(labels={"severity": "page"}))
    (agreement,) = tests.agreement
    assert (agreement.since, agreement.seconds_compared) == (at(0), MINUTES * 60)
    assert agreement.seconds_both == 18 * 60
    assert agreement.seconds_only_backtest == 12 * 60
    assert agreement.seconds_only_server == 6 * 60
    assert tests.agreed == agreement.share == pytest.approx(18 / 36)


PENDING = alerts((at(350), at(351)), state="pending", job="a")
GROUP = during((at(260), 2e6), rule_group="f;g")


@pytest.mark.parametrize(
    ("own", "groups", "since", "evidence"),
    [
        (nothing, nothing, 400, "the age of its configuration"),
        (PENDING, nothing, 350, "the first of its ALERTS"),
        (PENDING, GROUP, 270, "prometheus_rule_group_rules"),
    ],
    ids=["config", "alerts", "group"],
)
async def test_alerts_are_compared_from_when_the_rule_is_known_to_be_loaded(
    own: Script, groups: Script, since: float, evidence: str
) -> None:
    """A rule that is loaded begins to wait for its `for` then: only after that can it have fired."""
    script = during((at(100), at(120)), (at(500), at(510)), job="a")
    answers = Scripted({"m > 0": script}, alerts=own, groups=groups, config_time=at(400))
    tests = await run(answers, rule(for_seconds=300, group="g", file="f"))
    (agreement,) = tests.agreement
    assert (minutes(agreement.since), agreement.evidence) == (since + 5, evidence)
    assert (agreement.seconds_before, agreement.seconds_only_backtest) == (900, 300)
    assert tests.agreed == 0.0


async def test_nothing_is_compared_where_nothing_is_known() -> None:
    class Silent(Scripted):
        async def runtime(self) -> Any:
            raise TimedOut("no answer")

    (agreement,) = (await run(Silent({"m > 0": during((at(1), at(3)))}), rule())).agreement
    assert (agreement.since, agreement.share, agreement.seconds_before) == (None, None, 120)


async def test_alerts_whose_labels_are_not_known_are_compared_without_them() -> None:
    own = together(
        alerts((at(10), at(15)), job="a", level="low"), alerts((at(15), at(20)), job="a", level="high")
    )
    answers = Scripted({"m > 0": during((at(10), at(20)), job="a", level="own")}, alerts=own)
    tests = await run(answers, rule(labels={"level": "{{ if gt $value 9.0 }}high{{ else }}low{{ end }}"}))
    assert tests.agreed == 1.0


async def test_rules_of_one_name_are_compared_together() -> None:
    own = together(
        alerts((at(10), at(20)), severity="page"),
        alerts((at(5), at(20)), severity="info"),
    )
    scripts = {"a": during((at(10), at(20))), "b": during((at(5), at(20)))}
    rules = [rule(expr="a", labels={"severity": "page"}), rule(expr="b", labels={"severity": "info"})]
    (agreement,) = (await run(Scripted(scripts, alerts=own), *rules)).agreement
    assert (agreement.share, agreement.seconds_both) == (1.0, 25 * 60)
