"""What an author would want to be asked about an expression, and what not."""

from collections.abc import Mapping

import pytest

from opsconsole.rehearse.model import Rule, Warned
from opsconsole.rehearse.reasons import WARNINGS
from opsconsole.rehearse.schema import Kind, Metric, Schema
from opsconsole.rehearse.warnings import warnings

NOTHING_KNOWN = Schema(origin="guess")

CPU = 'avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))'
FAILED = 'sum(rate(paid_total{status="failed"}[5m])) / sum(rate(paid_total[5m]))'
DIVISION = "division-by-nothing"
ITS_OWN = ": where nothing at all is a fault too, it needs an alert of its own"


def metric(name: str, kind: Kind = "unknown", *series: dict[str, str]) -> Metric:
    labels = [frozenset(each) for each in series]
    every = frozenset.intersection(*labels) if labels else frozenset()
    return Metric(name=name, kind=kind, series=series, possible=frozenset().union(*labels), always=every)


def known(*metrics: Metric) -> Schema:
    return Schema(origin="environment", metrics={one.name: one for one in metrics})


def buckets(name: str, *bounds: float) -> Schema:
    series = [{"le": f"{bound:g}"} for bound in bounds] + [{"le": "+Inf"}]
    return known(metric(f"{name}_bucket", "histogram", *series))


def found(expr: str, schema: Schema = NOTHING_KNOWN, recorded: Mapping[str, str] = {}) -> list[Warned]:
    rules = {name: [Rule(record=name, expr=each)] for name, each in recorded.items()}
    return warnings(Rule(alert="A", expr=expr), schema, rules)


def only(expr: str, schema: Schema = NOTHING_KNOWN, *, but: str = DIVISION) -> Warned:
    (one,) = [each for each in found(expr, schema) if each.kind != but]
    assert one.kind in WARNINGS
    return one


@pytest.mark.parametrize(
    ("expr", "correction"),
    [
        ("errors_total > 5", "increase(errors_total{}[5m]) > 5"),
        ("0 < sum by (job) (errors_total)", "0 < sum by (job)(increase(errors_total{}[5m]))"),
        ("up == 1 and errors_total > 5", "increase(errors_total{}[5m]) > 5"),
        ("errors_total / requests_total > 0.1", "increase(errors_total{}[5m]) / requests_total{} > 0.1"),
        ("avg_over_time(errors_total[5m]) > 3", "rate(errors_total{}[5m])"),
        ("delta(errors_total[1h]) > 3", "increase(errors_total{}[1h])"),
        ("predict_linear(errors_total[1h], 3600) > 3", "rate(errors_total{}[1h])"),
        (
            "histogram_quantile(0.9, sum by (le) (took_bucket)) > 3",
            "histogram_quantile(0.9, sum by (le)(rate(took_bucket{}[5m])))",
        ),
    ],
)
def test_a_counter_that_is_read_as_a_gauge(expr: str, correction: str) -> None:
    warned = only(expr)
    assert (warned.kind, warned.correction) == ("counter-as-gauge", correction)


@pytest.mark.parametrize(
    "expr",
    [
        "errors_total == 0",
        "errors_total != 3",
        "errors_total < 1",
        "rate(errors_total[5m]) == 0 and errors_total > 0",
        "errors_total > 0 and rate(errors_total[5m]) == 0",
        "errors_total - requests_total > 5",
        "errors_total / memory > 5",
        "memory / memory_total > 0.9",
        "count(errors_total) > 3",
        "absent(errors_total)",
        "changes(errors_total[5m]) > 3",
        "time() - timestamp(errors_total) > 60",
        "max_over_time(rate(errors_total[5m])[1h:]) > 3",
        "things_count > 5",
        "worker_pending_tasks_total > 5",
        "histogram_quantile(0.9, sum by (le) (rate(took_bucket[5m]))) > 3",
    ],
)
def test_what_a_counter_may_be_asked(expr: str) -> None:
    assert found(expr) == []
    assert found(expr, known(metric("errors_total", "counter"), metric("requests_total", "counter"))) == []


def test_a_type_is_believed_rather_than_a_name() -> None:
    assert found("brokers_total > 5", known(metric("brokers_total", "gauge"))) == []
    assert only("oom_kills > 0", known(metric("oom_kills", "counter"))).kind == "counter-as-gauge"
    assert found("errors_total < 5") == []
    assert only("errors_total < 5", known(metric("errors_total", "counter"))).kind == "counter-as-gauge"
    assert only("took_count > 5", known(metric("took_count", "histogram"))).kind == "counter-as-gauge"


@pytest.mark.parametrize(
    ("expr", "correction"),
    [
        ("rate(node_load1[5m]) > 1", "deriv(node_load1{}[5m])"),
        ("increase(queue[5m]) > 1", "delta(queue{}[5m])"),
        ("rate(haproxy_backend_current_queue[2m]) > 0", "deriv(haproxy_backend_current_queue{}[2m])"),
    ],
)
def test_a_gauge_that_is_read_as_a_counter(expr: str, correction: str) -> None:
    warned = only(expr, known(metric("queue", "gauge")))
    assert (warned.kind, warned.correction) == ("gauge-as-counter", correction)


def test_a_gauge_by_its_type_alone_is_none_where_its_name_counts() -> None:
    assert found("rate(copied_total[5m]) > 1", known(metric("copied_total", "gauge"))) == []
    assert found("rate(queue[5m]) > 1") == []


@pytest.mark.parametrize(
    ("expr", "correction"),
    [
        (f"{FAILED} > 10", " > 0.1"),
        (f"1 - ({FAILED}) < 95", " < 0.95"),
        (f"100 * ({FAILED}) > 0.9", " > 90"),
        ("sum(rate(hits[5m])) / (sum(rate(hits[5m])) + sum(rate(misses[5m]))) < 80", " < 0.8"),
        ("(disk_size - disk_free) / disk_size > 90", " > 0.9"),
        ("disk_free_bytes / disk_size_bytes < 10", " < 0.1"),
        ("count(up == 0) / count(up) > 50", " > 0.5"),
        (f"100 - {CPU} * 100 > 0.9", " > 90"),
        (f"1 - {CPU} > 80", " > 0.8"),
        ("avg_over_time(hit_ratio[5m]) < 80", " < 0.8"),
        ("battery_percent < 0.2", " < 20"),
        ("0.8 < a / b * 100", " > 80"),
    ],
)
def test_a_fraction_beside_a_percentage(expr: str, correction: str) -> None:
    warned = only(expr)
    assert warned.kind == "percentage-fraction"
    assert warned.correction.endswith(correction)


@pytest.mark.parametrize(
    "expr",
    [
        f"{FAILED} > 0.1",
        f"100 * ({FAILED}) > 10",
        "sum(rate(paid_total[5m])) / sum(rate(paid_total[1h])) > 5",
        "sum(rate(paid_total[5m])) / sum(rate(paid_total[5m] offset 1d)) > 5",
        "sum(rate(paid_total[5m])) / sum(rate(seen_total[5m])) > 5",
        "node_load5 / count(cores) > 2",
        "max(age) / avg(age) > 5",
        "(high - low) / other > 50",
        'queue{team="a"} / queue offset 1d > 5',
        'sum(rate(paid_total{plan="a"}[5m])) / sum(rate(paid_total{plan="b"}[5m])) > 5',
        'sum(rate(paid_total{plan="a"}[5m])) / sum(rate(paid_total[1h])) > 5',
        'sum(rate(paid_total{plan="a"}[5m])) / sum(rate(paid_total[5m] offset 1d)) > 5',
        f"5 - 100 * ({FAILED}) < 0.9",
        f"100 * ({FAILED}) > 0",
        "hit_ratio < 2",
        "compression_ratio < 10",
        "battery_percent < 20",
        f"sum({CPU}) > 4",
    ],
)
def test_what_is_in_one_scale(expr: str) -> None:
    assert [each for each in found(expr) if each.kind != DIVISION] == []


def test_a_recorded_fraction_is_a_fraction() -> None:
    recorded = {"paid:failed": FAILED}
    assert found("paid:failed > 10", recorded=recorded)[0].kind == "percentage-fraction"
    assert found("paid:failed > 0.1", recorded=recorded) == []
    assert found("a:a > 10", recorded={"a:a": "a:a"}) == [], "one that rests on itself"


P95 = "histogram_quantile(0.95, sum by (le) (rate(took_{}_bucket[5m])))"


@pytest.mark.parametrize(
    ("unit", "bounds", "comparison", "correction"),
    [
        ("milliseconds", (10, 100, 1000, 5000), "> 1", " > 1000"),
        ("milliseconds", (10, 100, 1000, 5000), "/ 1000 > 0.001", " > 1"),
        ("seconds", (0.1, 1, 5, 10), "> 1000", " > 1"),
        ("duration", (10, 100, 1000, 5000), "> 2", " > 2000"),
    ],
    ids=["ms", "scaled", "seconds", "no unit"],
)
def test_a_threshold_that_the_buckets_show_to_be_in_another_unit(
    unit: str, bounds: tuple[float, ...], comparison: str, correction: str
) -> None:
    expr = f"{P95.format(unit)} {comparison}"
    warned = only(expr, buckets(f"took_{unit}", *bounds))
    assert warned.kind == "unit-mismatch"
    assert warned.correction.endswith(correction)


@pytest.mark.parametrize(
    ("expr", "bounds"),
    [
        (f"{P95.format('milliseconds')} > 500", (10, 100, 1000, 5000)),
        (f"{P95.format('milliseconds')} / 1000 > 1", (10, 100, 1000, 5000)),
        (f"{P95.format('milliseconds')} > 7", (10, 100, 1000, 5000)),
        (f"{P95.format('milliseconds')} > 1", (0.5, 1, 2, 5)),
        (f"{P95.format('milliseconds')} > 4", (1, 10, 100, 1000, 5000)),
        (f"{P95.format('milliseconds')} > 1", (10, 5000)),
        (f"{P95.format('milliseconds')} > 200000", (0.1, 1, 10)),
        ("took_milliseconds > 1", (10, 100, 1000, 5000)),
        ("rate(took_milliseconds_sum[5m]) > 1", (10, 100, 1000)),
    ],
    ids=[
        "in range",
        "scaled",
        "not a thousandth",
        "fine buckets",
        "within a fine one",
        "two buckets",
        "above even so",
        "a gauge beside it",
        "no latency",
    ],
)
def test_a_threshold_in_the_unit_of_the_buckets(expr: str, bounds: tuple[float, ...]) -> None:
    assert found(expr, buckets("took_milliseconds", *bounds)) == []


@pytest.mark.parametrize(
    "expr",
    [
        "histogram_quantile(0.9, rate(http_request_duration_seconds_bucket[5m])) > 500",
        "rate(http_request_seconds_sum[5m]) / (rate(http_request_seconds_count[5m]) > 0) > 500",
        'http_request_milliseconds{quantile="0.9"} > 1',
        "node_memory_MemAvailable_bytes < 10",
        "time() - last_success_milliseconds > 3600",
    ],
)
def test_a_threshold_that_a_name_shows_to_be_in_another_unit(expr: str) -> None:
    assert only(expr).kind == "unit-mismatch"


@pytest.mark.parametrize(
    "expr",
    [
        "histogram_quantile(0.9, rate(http_request_duration_seconds_bucket[5m])) > 5",
        "histogram_quantile(0.9, rate(backup_duration_seconds_bucket[5m])) > 500",
        "histogram_quantile(0.1, rate(http_client_certificate_expiration_seconds_bucket[5m])) < 604800",
        "node_memory_MemAvailable_bytes / 1024 / 1024 < 10",
        "rate(node_network_receive_bytes_total[5m]) < 10",
        "time() - last_success_milliseconds / 1000 > 3600",
    ],
)
def test_a_threshold_that_may_well_be_meant(expr: str) -> None:
    assert found(expr) == []


@pytest.mark.parametrize(
    ("expr", "told"),
    [
        (
            f"{FAILED} > 0.1",
            f"while sum(rate(paid_total{{}}[5m])) is 0, 0/0 is NaN, and NaN never fires{ITS_OWN}",
        ),
        ("rate(errors_total[5m]) / rate(requests_total[5m]) > 0.1", f"is NaN, and NaN never fires{ITS_OWN}"),
        ("lag / sum(rate(read_total[5m])) > 60", "anything else / 0 is infinite, which fires"),
        ("lag / rate(read_total[5m]) * 100 < 60", "anything else / 0 is infinite, which does not fire"),
        ("1 - lag / rate(read_total[5m]) < 60", "is NaN, and NaN never fires"),
        (
            "avg(lag / rate(read_total[5m])) > 60",
            "is 0 for one series, 0/0 makes the whole avg NaN, and NaN never fires",
        ),
        (
            "lag / rate(read_total[5m]) != 1",
            "NaN != 1 always holds; anything else / 0 is infinite, which fires",
        ),
        ("ready / spec_replicas < 0.5", "infinite, which does not fire"),
        ("used / (rate(hits[5m]) + rate(misses[5m])) < 0.5", "infinite, which does not fire"),
        (f"1 - ({FAILED}) < 0.9", "is NaN, and NaN never fires"),
        ("100 * max(rate(paid_total[5m])) / sum(rate(paid_total[5m])) > 50", f"NaN never fires{ITS_OWN}"),
        ("rate(read_total[5m]) / rate(read_total[5m] offset 1d) > 2", "infinite, which fires"),
        ("used / redis_memory_max_bytes > 0.9", "infinite, which fires"),
        ("rate(took_sum[5m]) / rate(took_count[5m]) > 1", f"is NaN, and NaN never fires{ITS_OWN}"),
    ],
)
def test_a_divisor_that_may_be_0(expr: str, told: str) -> None:
    (warned,) = found(expr)
    assert warned.kind == DIVISION
    assert warned.summary.endswith(told)


@pytest.mark.parametrize(
    "expr",
    [
        "lag / (rate(read_total[5m]) > 0) > 60",
        "lag / clamp_min(rate(read_total[5m]), 1) > 60",
        "lag / (rate(read_total[5m]) + 1) > 60",
        "lag / (rate(read_total[5m]) or vector(1)) > 60",
        "lag / rate(read_total[5m]) > 60 and rate(read_total[5m]) > 0",
        "lag / rate(read_total[5m]) > 60 unless read_total == 0",
        "used / memory_limit_bytes > 0.9",
        "open / process_max_fds > 0.9",
        "open / max_connections > 0.9",
        "lag / count(up) > 60",
        "lag / 60 > 60",
        'sum(rate(node_cpu_seconds_total{mode="idle"}[5m])) / sum(rate(node_cpu_seconds_total[5m])) < 0.1',
        "absent(lag / rate(read_total[5m]))",
    ],
)
def test_a_divisor_that_is_guarded_or_never_0(expr: str) -> None:
    assert found(expr) == []


PAID = known(
    metric(
        "paid_total",
        "counter",
        {"status": "success", "plan": "pro", "code": "200"},
        {"status": "success", "plan": "team", "code": "404"},
    )
)


@pytest.mark.parametrize(
    ("expr", "told", "correction"),
    [
        (
            'rate(paid_total{status="failed"}[5m]) > 0',
            'has had status="failed" so far: there are success',
            "",
        ),
        (
            'rate(paid_total{status="sucess"}[5m]) > 0',
            'status="sucess"',
            'paid_total{status="success"}[5m]',
        ),
        ('rate(paid_total{code=~"5.."}[5m]) > 0', 'code=~"5.." so far: there are 200, 404', ""),
    ],
    ids=["never", "misspelt", "regex"],
)
def test_a_value_that_was_never_seen(expr: str, told: str, correction: str) -> None:
    warned = only(expr, PAID)
    assert (warned.kind, warned.correction) == ("label-never-seen", correction)
    assert told in warned.summary


@pytest.mark.parametrize(
    "expr",
    [
        'rate(paid_total{status="success",plan=~"pro|x",code!="500"}[5m]) > 0',
        'rate(paid_total{plan="pro",code="404"}[5m]) > 0',
        'rate(paid_total{region="eu"}[5m]) > 0',
        'rate(paid_total{status=""}[5m]) > 0',
        'rate(other_total{status="failed"}[5m]) > 0',
    ],
    ids=["seen", "never together", "no such label", "empty", "no such metric"],
)
def test_values_of_which_nothing_is_to_be_said(expr: str) -> None:
    assert found(expr, PAID) == []


def test_of_a_metric_with_more_series_than_are_kept_those_that_are_selected_are_known() -> None:
    kept = [{"customer": str(number), "plan": "pro"} for number in range(100)]
    many = known(metric("paid_total", "counter", *kept))
    told = only('rate(paid_total{customer="x",plan="pro"}[5m]) > 0', many).summary
    assert told == 'no series of paid_total has had customer="x", plan="pro" so far'
    assert found('rate(paid_total{customer="7",plan="pro"}[5m]) > 0', many) == []


@pytest.mark.parametrize(
    ("expr", "correction"),
    [
        ('up{code="5.."} > 0', 'up{code=~"5.."}'),
        ('up{code!="4xx|5xx"} > 0', 'up{code!~"4xx|5xx"}'),
        ('rate(x{code=~"5*"}[5m]) > 0', 'x{code=~"5.*"}[5m]'),
    ],
)
def test_a_matcher_that_reads_as_something_else(expr: str, correction: str) -> None:
    warned = only(expr)
    assert (warned.kind, warned.correction) == ("matcher-misread", correction)


def test_a_warning_points_at_its_place() -> None:
    expr = "errors_total > 5 or vector(1) unless x{a='errors_total > 5'} > 1 or errors_total > 5"
    places = [(each.guilty, each.nth) for each in found(expr)]
    assert places == [("errors_total{} > 5", 0), ("errors_total{} > 5", 1)]


def test_what_is_not_promql_has_no_warnings() -> None:
    assert found("rate(x[5m] > 3") == []
