"""What is read for the seven rules and their faults, and how; and what cannot be driven."""

import math
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files

import pytest
import yaml

from opsconsole.checkkit import until
from opsconsole.faults import Moved, named
from opsconsole.promql import Comparison
from opsconsole.walkthrough.gauge import CannotDrive, Gauge, Reading
from opsconsole.walkthrough.sight import Sight

REFERENCE = yaml.safe_load((files("opsconsole.lab") / "components" / "billing-alerts.yml").read_text())
EXPRESSIONS = {
    rule["alert"]: rule["expr"] for group in REFERENCE["groups"] for rule in group["rules"] if "alert" in rule
}
DECLINED = named("declined_payments")
JOB = "rsolv-platform"


@pytest.mark.parametrize(
    ("alert", "fault", "window_seconds", "share", "counted"),
    [
        ("BillingPaymentFailureRateHigh", "declined_payments", 300.0, 0.1, True),
        ("BillingPaymentFailureRateCritical", "declined_payments", 300.0, 0.25, True),
        ("StripeWebhookFailureRateHigh", "bad_webhooks", 300.0, 0.1, True),
        ("StripeWebhookProcessingDurationHigh", "slow_webhooks", 300.0, 0.05, True),
        ("SubscriptionCancellationRateHigh", "cancellations", 86400.0, 0.1, False),
        ("BillingCreditGrantAnomalyDetected", "credit_grants", 300.0, 0.01, True),
    ],
)
def test_rule(alert: str, fault: str, window_seconds: float, share: float, counted: bool) -> None:
    gauge = Gauge.of(EXPRESSIONS[alert], named(fault))
    assert gauge.window_seconds == window_seconds
    assert math.isclose(gauge.share, share)
    assert gauge.counted is counted
    assert gauge.total is not None
    assert gauge.total.events == window_seconds


def test_silence_takes_no_doses() -> None:
    gauge = Gauge.of(EXPRESSIONS["StripeWebhooksStalled"], named("stalled_webhooks"))
    assert (gauge.comparison.op, gauge.comparison.side) == ("==", "left of or")
    assert (gauge.bad, gauge.total) == (None, None)


FAILED = 'sum(rate(rsolv_billing_payment_processed_total{status="failed"}[5m]))'
ALL = "sum(rate(rsolv_billing_payment_processed_total[5m]))"


@pytest.mark.parametrize(
    ("expr", "share"),
    [
        (f"100 * {FAILED} / {ALL} > 10", 0.1),
        (f"({FAILED} / {ALL}) * 100 > 10", 0.1),
        (f"0.1 < {FAILED} / {ALL}", 0.1),
        (f"{FAILED} / {ALL} > 0.1 and {ALL} > 1", 0.1),
        (f"{FAILED} * 60 > 6", 30.0),  # failures a minute
        (FAILED.replace("rate", "increase") + " >= 25", 25.0),
    ],
)
def test_share(expr: str, share: float) -> None:
    assert math.isclose(Gauge.of(expr, DECLINED).share, share)


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        (ALL, "compares nothing with a number"),
        (f"{FAILED} / {ALL} < 0.9", "is true at <"),
        (
            f"{FAILED.replace('failed', 'success')} / {ALL} > 0.1",
            "does not count what declined_payments does",
        ),
        ("sum(rate(up[5m])) / sum(rate(up[5m])) > 0.1", "which moves rsolv_billing_payment_processed_total"),
        ("rsolv_billing_payment_processed_total > 10", "looks back over no range"),
        (f"{FAILED[:-2]} offset 5m)) / {ALL} > 0.1", "looks at another time"),
        (f"{FAILED.replace('rate', 'irate')} > 1", "neither a rate nor an increase"),
        ("histogram_quantile(2, sum by (le) (rate(x_bucket[5m]))) > 1", "no number between 0 and 1"),
    ],
)
def test_cannot_be_driven(expr: str, reason: str) -> None:
    with pytest.raises(CannotDrive, match=reason):
        Gauge.of(expr, DECLINED)


@pytest.mark.parametrize(
    ("matcher", "counts"),
    [
        ('status=~"fail.*"', True),
        ('status!="success"', True),
        ('status!~"fail.*"', False),
        ('customer_id="c1"', True),
        ('status="failed",customer_id!=""', True),
    ],
)
def test_a_label_of_which_nothing_is_known_may_match(matcher: str, counts: bool) -> None:
    fault = replace(DECLINED, moves=(Moved("x_total", {"status": "failed"}),))
    expr = f"rate(x_total{{{matcher}}}[5m]) > 1"
    if counts:
        assert Gauge.of(expr, fault).bad
    else:
        with pytest.raises(CannotDrive):
            Gauge.of(expr, fault)


async def read(sight: Sight, gauge: Gauge, such: Callable[[Reading], bool] = lambda _: True) -> Reading:
    """The first such reading that was not taken just after a scrape that came too late for its timeout."""

    async def scraped() -> Reading | None:
        reading = await gauge.read(sight.prometheus, JOB)
        return reading if reading.scraped_at and such(reading) else None

    reading = await until(scraped, within_seconds=240, what="a reading")
    assert reading is not None
    return reading


def counted(reading: Reading) -> bool:
    """Whether what is rare in the lab was counted by then."""
    return reading.value is not None and reading.total > 0


async def as_loaded(sight: Sight, alert: str, fault: str) -> Gauge:
    """The gauge of the rule as the lab has loaded it."""
    (rule,) = [rule for rule in await sight.prometheus.rules() if rule.name == alert]
    return Gauge.of(rule.expr, named(fault))


@pytest.mark.parametrize(
    ("alert", "fault"),
    [
        ("BillingPaymentFailureRateHigh", "declined_payments"),
        ("StripeWebhookFailureRateHigh", "bad_webhooks"),
        ("SubscriptionCancellationRateHigh", "cancellations"),
    ],
)
async def test_a_ratio_is_that_of_what_was_counted(sight: Sight, alert: str, fault: str) -> None:
    reading = await read(sight, await as_loaded(sight, alert, fault), counted)
    assert reading.value is not None
    assert math.isclose(reading.bad / reading.total, reading.value)
    assert not reading.over
    assert 0 <= reading.evaluated_at - reading.scraped_at < 60


@pytest.mark.parametrize(
    ("alert", "fault"),
    [
        ("StripeWebhookProcessingDurationHigh", "slow_webhooks"),
        ("BillingCreditGrantAnomalyDetected", "credit_grants"),
    ],
)
async def test_bad_ones_are_those_above_the_bound_of_the_threshold(
    sight: Sight, alert: str, fault: str
) -> None:
    gauge = await as_loaded(sight, alert, fault)
    reading = await read(sight, gauge, counted)
    assert reading.bad == 0
    lower = replace(gauge, comparison=replace(gauge.comparison, threshold=10.0))
    reading = await read(sight, lower, counted)
    assert reading.over
    assert gauge.share < reading.bad / reading.total <= 1


async def test_how_many_are_in_the_window(sight: Sight) -> None:
    """About 200 payments a second, whatever the window and however it is written."""
    counts = {}
    for name, expr in {
        "a rate": "sum(rate(rsolv_billing_payment_processed_total[10s])) > 1e6",
        "an increase": "sum(increase(rsolv_billing_payment_processed_total[10s])) > 1e7",
    }.items():
        gauge = Gauge.of(expr, DECLINED)
        assert (gauge.total, gauge.share) == (None, 1e7)

        reading = await read(sight, gauge, lambda reading: reading.bad > 1000)
        counts[name] = reading.bad
        assert reading.total == 1.0
    assert math.isclose(counts["a rate"], counts["an increase"], rel_tol=0.5)


@pytest.mark.parametrize(
    ("left", "value", "over"),
    [
        ("vector(2)", 2.0, True),
        ("vector(1)", 1.0, False),
        ("vector(1) / 0", None, True),
        ("vector(0) / 0", None, False),
        ("no_such_metric", None, False),
    ],
)
async def test_value(sight: Sight, left: str, value: float | None, over: bool) -> None:
    reading = await read(sight, Gauge(Comparison(left, ">", 1.0), 60.0))
    assert (reading.value, reading.over) == (value, over)


async def test_of_several_series_that_of_the_job_or_else_the_greatest(sight: Sight) -> None:
    series = 'label_replace(vector({}), "job", "{}", "", "")'
    left = " or ".join(series.format(value, job) for value, job in ((3, "a"), (1, "b"), (2, "c")))
    gauge = Gauge(Comparison(left, ">", 0.0), 60.0)
    assert (await gauge.read(sight.prometheus, "b")).value == 1.0
    assert (await gauge.read(sight.prometheus, "x")).value == 3.0


async def test_a_job_that_was_never_scraped(sight: Sight) -> None:
    reading = await Gauge(Comparison("vector(2)", ">", 1.0), 60.0).read(sight.prometheus, 'no "such" job')
    assert reading.scraped_at == 0.0
