"""Reasons that rest on how much is known: of an environment, of an exposition, of nothing but the rules."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from opsconsole.rehearse.dead import prove, unfed
from opsconsole.rehearse.model import Reason, Rule
from opsconsole.rehearse.schema import Metric, Schema
from tests.rehearse.dead import small

HOUR = 3600.0
ENVIRONMENT = small.SCHEMA
GUESS = Schema(origin="guess", scrape_interval_seconds=60.0, recorded=frozenset({"made"}))
EXPOSITION = replace(
    small.SCHEMA, origin="exposition", added=frozenset({"job", "instance", "cluster"}),
     scrape_interval_seconds=None,
)  # fmt: skip


def rule(expr: str, **more: object) -> Rule:
    return Rule(**{"alert": "A", "expr": expr, **more})  # type: ignore[arg-type]


def summary(reasons: Sequence[Reason]) -> list[tuple[str, str]]:
    return [(reason.kind, reason.guess) for reason in reasons]


CARRIES = "that what is scraped carries job and instance"


@pytest.mark.parametrize(
    ("expr", "schema", "kind", "guess"),
    [
        ("errors > 3 and hour() > 8", GUESS, "sides-never-match", CARRIES),
        ("temp > 3 and hour() > 8", ENVIRONMENT, "sides-never-match", ""),
        ("sum by (job) (x) / sum by (instance) (y)", GUESS, "label-aggregated-away", CARRIES),
        ("rate(x_total[5m]) < 0", GUESS, "out-of-range", "that x_total is a counter"),
        ("rate(paid_total[5m]) < 0", ENVIRONMENT, "out-of-range", ""),
        ("up == 2", ENVIRONMENT, "out-of-range", "that Prometheus alone writes up"),
        ('ALERTS{alertname="B"} == 0', GUESS, "out-of-range", ""),
        ("up > 0 and hour() > 8", Schema(origin="environment"), "sides-never-match", CARRIES),
        ("histogram_quantile(0.9, sum by (job) (rate(x_bucket[5m]))) > 1", GUESS, "label-aggregated-away",
         "that x_bucket is of a classic histogram, as its name says"),
        ("rate(x[30s]) > 0", GUESS, "range-too-short", "that x is scraped each 1m"),
        ("rate(x[59s]) > 0", GUESS, "range-too-short",
         "that x is scraped each 1m; that scrapes keep their pace"),
        ("rate(temp[10s]) > 0", ENVIRONMENT, "range-too-short", ""),
        ("rate(temp[14s]) > 0", ENVIRONMENT, "range-too-short", "that scrapes keep their pace"),
        ("rate(temp[30s:1m]) > 0", GUESS, "range-too-short", ""),
        ("changes(temp[10s]) > 0", ENVIRONMENT, "range-too-short", "that no target is scraped more often"),
        ('temp{zonk="a"} > 0', EXPOSITION, "no-label", "that scraping adds no label zonk"),
        ('temp{label_team="a"} > 0', ENVIRONMENT, "no-label",
         "that nothing will ever be given the label label_team"),
        ("took > 0", EXPOSITION, "bare-histogram", "that took is no native histogram"),
        ('temp{zone!~".*"}', ENVIRONMENT, "no-match-possible", "that no value has a line break in it"),
        ("time() - timestamp(temp) > 300", ENVIRONMENT, "out-of-range",
         "that Prometheus looks back 5 minutes, as it does without --query.lookback-delta"),
        ("100 * sum(rate(paid_total{plan=\"a\"}[5m])) / sum(rate(paid_total[5m])) > 100", ENVIRONMENT,
         "out-of-range",
         "but for a rounding error in the last digit"),
    ],
)  # fmt: skip
def test_what_rests_on_a_guess_says_so(expr: str, schema: Schema, kind: str, guess: str) -> None:
    assert summary(prove(rule(expr), schema)) == [(kind, guess)]


@pytest.mark.parametrize(
    ("expr", "schema"),
    [
        ('x{nolabel="a"} > 0', GUESS), ("histogram_quantile(0.9, rate(x[5m])) > 1", GUESS),
        ("took > 3", GUESS),
        ("made > 3 and hour() > 8", GUESS), ("a:b > 3 and hour() > 8", GUESS), ("rate(x[1m]) > 0", GUESS),
        ("rate(made[10s]) > 0", GUESS), ("x < 0", GUESS), ("rate(x_sum[5m]) < 0", GUESS),
        ("histogram_quantile(0.9, sum by (instance, vmrange) (rate(vm_bucket[5m]))) > 1", GUESS),
        ('temp{cluster="a"} > 0', EXPOSITION), ('nosuch{nolabel="a"} > 0', ENVIRONMENT),
        ('temp{zone="a"} + fill (0) limit{zone="b"} > 1', ENVIRONMENT), ('waits{a="1"} > 1', ENVIRONMENT),
        ("nosuch > 3 and hour() > 8", ENVIRONMENT), ('temp{nolabel="a"} @ 100 > 0', ENVIRONMENT),
    ],
)  # fmt: skip
def test_what_is_not_known_proves_nothing(expr: str, schema: Schema) -> None:
    waits = Metric(name="waits", kind="gauge", declared=True)
    assert prove(rule(expr), replace(schema, metrics={**schema.metrics, "waits": waits})) == []


@pytest.mark.parametrize(
    ("expr", "kind"),
    [
        ("count(temp) > 1 < 2", "contradiction"), ("limit == 5 != 5", "contradiction"),
        ("hour() * 60 + minute() > 810 and hour() < 13", "contradiction"), ("temp > temp", "contradiction"),
        ("limit > temp and limit < temp", "contradiction"),
        ("temp > 5 and limit > 3 and temp < 4", "contradiction"),
        ('temp{zone="a"} unless temp', "contradiction"), ("temp % 5 >= 5", "out-of-range"),
        ("sum(abs(temp)) < 0", "out-of-range"), ("clamp_max(temp, 5) * 2 > 10", "out-of-range"),
        ("sqrt(temp) < 0", "out-of-range"),
        ("count by (zone) (temp > 5) / count by (zone) (temp) > 1", "out-of-range"),
        ("clamp(temp, 5, 1)", "always-empty"), ("absent(temp or vector(1))", "always-empty"),
        ("temp unless on () vector(1)", "contradiction"), ("histogram_quantile(0.9, took_sum)", "no-label"),
        ("sum(temp) / sum(temp) > 1", "out-of-range"), ("temp - temp > 0", "out-of-range"),
        ("temp > scalar(limit{nolabel=\"a\"})", "no-label"),
        ("sum(rate(paid_total[5m])) - sum(rate(paid_total{plan=\"a\"}[5m])) < 0", "out-of-range"),
        ("sum(rate(paid_total{plan=\"a\"}[5m])) > sum(rate(paid_total[5m]))", "out-of-range"),
    ],
)  # fmt: skip
def test_what_can_never_be(expr: str, kind: str) -> None:
    assert summary(prove(rule(expr), ENVIRONMENT)) == [(kind, "")]


@pytest.mark.parametrize(
    ("expr", "missing"),
    [
        ("nosuch > 3", ["nosuch is exported by nobody"]),
        ("temp > 3 and nosuch > 3", ["nosuch is exported by nobody"]),
        ("nosuch or other", ["nosuch is exported by nobody", "other is exported by nobody"]),
        ("gone > 3", ["gone is exported by nobody any more; last seen 2001-09-09 01:46 UTC"]),
        ('nosuch > 3 or temp{nolabel="a"}',
         ["nosuch is exported by nobody", "no series of temp carries the label nolabel"]),
        ("absent(nosuch)", []), ("temp > 3 unless nosuch", []), ("temp > 3 or nosuch", []),
        ("sum(nosuch) or vector(0)", []), ("ALERTS > 0", []), ("up == 0", []),
        ("scrape_samples_scraped > 9", []),
        ("took_count > 0", []), ("declared > 3", []), ("waiting_bucket > 3", []),
        ('{__name__=~"nosuch.*"} > 3', []),
        ("elsewhere:made > 3", []), ("vector(1) > 0", []),
        ('nosuch{a="1",a="2"} > 3', []),  # dead, and not for want of a metric
    ],
)  # fmt: skip
def test_metrics_that_nobody_exports(expr: str, missing: list[str]) -> None:
    more = [Metric(name="gone", last_seen=1e9), Metric(name="declared", kind="gauge", declared=True)]
    schema = replace(
        ENVIRONMENT, metrics={**ENVIRONMENT.metrics, **{one.name: one for one in more}},
        families={**ENVIRONMENT.families, "waiting": "histogram"},
    )  # fmt: skip
    assert [reason.summary for reason in unfed(rule(expr), schema)] == missing


def test_what_is_exported_under_a_like_name_is_proposed() -> None:
    (reason,) = unfed(rule('tmp{zone="a"} > 3'), ENVIRONMENT)
    assert (reason.kind, reason.correction) == ("no-metric", 'temp{zone="a"}')


@pytest.mark.parametrize(
    ("expr", "kind"),
    [
        ("sum by (zone) (temp)", None), ('temp{nolabel="a"}', "dead-recording-rule"),
        ("sum(temp)", "no-label"), ("rate(paid_total[10s])", "dead-recording-rule"), ("made", None),
        ("other", "dead-recording-rule"), ('sum by (zone) (temp{zone="b"})', "no-match-possible"),
        ("count by (zone) (temp)", None), ("-abs(temp)", "out-of-range"), ("a > ", None),
    ],
)  # fmt: skip
def test_a_recording_rule_is_judged_with_what_reads_it(expr: str, kind: str | None) -> None:
    recorded = {
        "made": [rule(expr, alert="", record="made")],
        "other": [rule("sum(rate(took[5m]))", alert="", record="other")],
    }
    schema = replace(ENVIRONMENT, recorded=frozenset(recorded))
    reasons = prove(rule('made{zone="a"} > 0'), schema, recorded)
    assert [reason.kind for reason in reasons] == ([kind] if kind else [])
    if kind:
        assert "made" in reasons[0].summary
    recorded["made"].append(rule("temp > 3", alert="", record="made"))
    assert prove(rule('made{zone="a"} > 0'), schema, recorded) == []


def test_labels_of_a_recording_rule_are_the_last_word() -> None:
    recorded = {"made": [rule("temp", alert="", record="made", labels={"zone": "", "by": "us"})]}
    schema = replace(ENVIRONMENT, recorded=frozenset(recorded))
    assert summary(prove(rule('made{zone="a"}'), schema, recorded)) == [("no-label", "")]
    assert summary(prove(rule('made{by="them"}'), schema, recorded)) == [("no-match-possible", "")]
    assert prove(rule('made{by="us",zone=""}'), schema, recorded) == []


def test_recording_rules_in_a_circle_are_left_alone() -> None:
    recorded = {
        "made": [rule("other > 3", alert="", record="made")],
        "other": [rule("made > 3", alert="", record="other")],
    }
    schema = replace(ENVIRONMENT, recorded=frozenset(recorded))
    assert prove(rule("made > 0"), schema, recorded) == []
    assert summary(prove(rule('made > 0 and temp{nolabel="a"}'), schema, recorded)) == [("no-label", "")]


def test_a_recording_rule_without_its_metric_is_unfed() -> None:
    recorded = {"made": [rule("nosuch > 3", alert="", record="made")]}
    schema = replace(ENVIRONMENT, recorded=frozenset(recorded))
    assert prove(rule("made > 0"), schema, recorded) == []
    (reason,) = unfed(rule("made > 0"), schema, recorded)
    assert (reason.kind, reason.guilty) == ("no-metric", "made{}")
    assert reason.summary == "nosuch is exported by nobody; the recording rule made reads it"


@pytest.mark.parametrize(
    ("expr", "for_hours", "interval_seconds", "found"),
    [
        ("temp > 5 and on () hour() < 9", 8.99, None, []),
        ("temp > 5 and on () hour() < 9", 9, None, [("for-too-long", "")]),
        ("temp > 5 and on () hour() < 9", 8.5, 2 * HOUR, [("for-too-long", "")]),
        ("temp > 5 and on () hour() < 9", 8, 2 * HOUR, []),
        ("temp > 5 and on () minute() < 30", 0.75, 60.0, [("for-too-long", "")]),
        ("temp > 5 and on () minute() < 30", 0.75, HOUR, []),
        ("temp > 5 and on () minute() < 30", 0.75, None,
         [("for-too-long", "that it is evaluated every 5m or more often")]),
        ("temp > 5 and on () minute() != 30", 2, None, []),
        ("temp > 5 and on () minute() != 30", 2, 60.0, [("for-too-long", "")]),
        ("temp > 5 and on () hour() < 9 or temp > 6", 48, None, []),
        ("temp > 5 and on () hour() < 9 or temp > 6 and on () hour() > 8", 24, None, []),
        ("temp > 5 and on () hour() < 9 or temp > 6 and on () hour() > 9", 24, None, [("for-too-long", "")]),
    ],
)  # fmt: skip
def test_how_long_a_condition_holds(
    expr: str, for_hours: float, interval_seconds: float | None, found: list[tuple[str, str]]
) -> None:
    one = rule(expr, for_seconds=for_hours * HOUR, interval_seconds=interval_seconds)
    assert summary(prove(one, ENVIRONMENT)) == found


def test_what_is_to_blame_is_pointed_at() -> None:
    text = 'temp{nolabel="a"} offset 5m > 5 or rate(temp{nolabel="a"}[5m] offset 1h) > 5'
    guilty = [(reason.guilty, reason.nth) for reason in prove(rule(text), ENVIRONMENT)]
    assert guilty == [('temp{nolabel="a"} offset 5m', 0), ('temp{nolabel="a"}[5m] offset 1h', 0)]
    found = prove(rule('temp unless temp{nolabel="a"} and temp{nolabel="a"}'), ENVIRONMENT)
    assert [(reason.guilty, reason.nth) for reason in found] == [('temp{nolabel="a"}', 1)]


@pytest.mark.parametrize("text", ["temp[5m]", '"temp"'])
def test_what_is_no_instant_vector_fails(text: str) -> None:
    assert summary(prove(rule(text), ENVIRONMENT)) == [("never-fires-by-rule", "")]


def test_a_quantile_is_held_to_the_buckets_that_are_chosen() -> None:
    series = [
        {"job": job, "le": bound}
        for job, last in (("api", "1"), ("web", "10"))
        for bound in ("0.5", last, "+Inf")
    ]
    labels = frozenset({"job", "le"})
    metric = Metric(name="t_bucket", kind="histogram", series=tuple(series), possible=labels, always=labels)
    schema = Schema(origin="environment", metrics={"t_bucket": metric})
    quantile = "histogram_quantile(0.9, rate(t_bucket{}[5m])) > 5"
    assert prove(rule(quantile.replace("{}", "")), schema) == []
    assert prove(rule(quantile.replace("{}", '{job="web"}')), schema) == []
    assert prove(rule(quantile.replace("{}", '{job="new"}')), schema) == []
    (reason,) = prove(rule(quantile.replace("{}", '{job="api"}')), schema)
    assert reason.summary.endswith("the highest finite bucket, which is 1 in t_bucket")
    many = tuple({**one, "pod": str(pod)} for one in series if one["job"] == "api" for pod in range(100))
    (reason,) = prove(rule(quantile.replace("{}", "")), replace(schema, metrics={
        "t_bucket": replace(metric, series=many, possible=labels | {"pod"})
    }))  # fmt: skip
    assert reason.guess == "on the first 100 label sets of t_bucket"
