"""The reference rules and dashboard, broken in one way each: all can never fire or show data any more.

`old` is replaced by `new` in the expression of an alert, or in the first query of a panel, wherever it
stands; `for_seconds` replaces the alert's own.
"""

from dataclasses import dataclass, replace

from opsconsole.rehearse.model import Rule
from tests.rehearse.dead.billing import alerts, panels

FAILURES = "BillingPaymentFailureRateHigh"
CRITICAL = "BillingPaymentFailureRateCritical"
WEBHOOKS = "StripeWebhookFailureRateHigh"
SLOW = "StripeWebhookProcessingDurationHigh"
STALLED = "StripeWebhooksStalled"
CANCELLED = "SubscriptionCancellationRateHigh"
GRANTS = "BillingCreditGrantAnomalyDetected"
HOURS = 3600.0
DAYS = 24 * HOURS

_PROCESSED = "rate(rsolv_billing_payment_processed_total[5m])"
_QUANTILE = "histogram_quantile"
_FIRST_HALF = "sum by (job) (increase(rsolv_billing_stripe_webhook_received_total[6h])) == 0"
_ABSENT = "absent_over_time(rsolv_billing_stripe_webhook_received_total[6h])"
_CANCELS = "rsolv_billing_subscription_cancelled_total"


@dataclass(frozen=True, slots=True)
class Mutation:
    """`of` is an alert or a panel, `kind` the reason that is expected, `correction` a part of what is
    proposed."""

    name: str
    of: str
    old: str
    new: str
    kind: str
    correction: str = ""
    for_seconds: float | None = None

    def rule(self) -> Rule:
        """The broken rule; a panel's query as an alert of its title."""
        known = alerts().get(self.of)
        rule = known or Rule(alert=self.of, expr=panels()[self.of][0])
        expr = rule.expr.strip()
        assert self.old in expr, f"{self.name}: the reference has changed"
        seconds = rule.for_seconds if self.for_seconds is None else self.for_seconds
        return replace(rule, expr=expr.replace(self.old, self.new), for_seconds=seconds)


def _extended(name: str, of: str, more: str, kind: str, for_seconds: float | None = None) -> Mutation:
    """With a condition added behind the threshold, which is the last of the expression."""
    last = {FAILURES: "> 0.10", SLOW: "> 1000", CANCELLED: "> 0.10", GRANTS: "> 1000"}[of]
    return Mutation(name, of, last, f"{last} {more}", kind, for_seconds=for_seconds)


MUTATIONS = [
    # Labels that nobody carries.
    Mutation("misspelt label", FAILURES, 'status="failed"', 'staus="failed"', "no-label", 'status="failed"'),
    Mutation("label of another metric", CANCELLED, _CANCELS, _CANCELS + '{status="success"}', "no-label"),
    Mutation("label by its value", FAILURES, 'status="failed"', 'outcome="failed"', "no-label",
             'status="failed"'),
    Mutation("regex on no label", CRITICAL, 'status="failed"', 'outcome=~"fail.+"', "no-label"),
    Mutation("no label is not another's", WEBHOOKS, "failed_total", 'failed_total{code!~"|2.."}', "no-label"),
    Mutation("customer of a webhook", SLOW, "_bucket", '_bucket{customer_id="cus_1"}', "no-label"),
    Mutation("panel, misspelt label", "Usage Tracking", "resource_type=", "ressource_type=", "no-label",
             "resource_type"),
    Mutation("panel, label unknown", "Revenue by Plan", "plan=~\".*\"", 'tier=~".+"', "no-label"),
    # Histograms.
    Mutation("bare histogram", SLOW, "_bucket", "", "bare-histogram", "_bucket"),
    Mutation("bare histogram of grants", GRANTS, "_bucket", "", "bare-histogram", "_bucket"),
    Mutation("panel, bare histogram", "Revenue by Plan", "_sum", "", "bare-histogram"),
    Mutation("panel, bare histogram in a quantile", "Payment Processing Duration", "_bucket", "",
             "bare-histogram"),
    Mutation("above the highest bucket", SLOW, "> 1000", "> 5000", "above-highest-bucket", ">= 5000"),
    Mutation("far above it", GRANTS, "> 1000", "> 10000", "above-highest-bucket"),
    Mutation("at least more than it", SLOW, "> 1000", ">= 5001", "above-highest-bucket"),
    Mutation("in seconds above it", SLOW, "> 1000", "/ 1000 > 5", "above-highest-bucket"),
    Mutation("equal to more than it", GRANTS, "> 1000", "== 6000", "above-highest-bucket"),
    Mutation("quantile below 0", SLOW, "> 1000", "< 0", "out-of-range"),
    Mutation("le dropped", SLOW, "sum by (job, le)", "sum by (job)", "label-aggregated-away", "le"),
    Mutation("le dropped by nothing kept", GRANTS, "sum by (job, le)", "sum", "label-aggregated-away", "le"),
    Mutation("le dropped by without", SLOW, "sum by (job, le)", "sum without (le)", "label-aggregated-away"),
    Mutation("panel, le dropped", "Payment Processing Duration", "payment_method, le", "payment_method",
             "label-aggregated-away"),
    Mutation("quantile of a sum", SLOW, "_bucket", "_sum", "no-label"),
    Mutation("native histograms alone", SLOW, "histogram_quantile(\n  0.95,", "histogram_count(",
             "always-empty"),
    # Matchers that nothing passes.
    Mutation("two values at once", FAILURES, 'status="failed"', 'status="failed",status="error"',
             "no-match-possible"),
    Mutation("value against pattern", FAILURES, 'status="failed"', 'status="failed",status=~"err.*"',
             "no-match-possible"),
    Mutation("value against its negation", CRITICAL, 'status="failed"', 'status=~"failed",status!="failed"',
             "no-match-possible"),
    Mutation("pattern that nothing matches", WEBHOOKS, "failed_total",
             'failed_total{event_type=~"$^invoice.+"}',
             "no-match-possible"),
    Mutation("panel, values apart", "Payment Success Rate", 'status="success"',
             'status="success",status=~"fail.*|err.*"', "no-match-possible"),
    # Sides that never match.
    Mutation("left side by another label", FAILURES,
             'sum by (job) (rate(rsolv_billing_payment_processed_total{',
             'sum by (status) (rate(rsolv_billing_payment_processed_total{', "label-aggregated-away", "job"),
    Mutation("one side not grouped", WEBHOOKS, "/\nsum by (job)", "/\nsum", "label-aggregated-away",
             "by (job)"),
    Mutation("one side grouped finer", CANCELLED, "/\nsum by (job)", "/\nsum by (job, plan)",
             "label-aggregated-away", "plan"),
    Mutation("failed over succeeded, not summed", FAILURES,
             'sum by (job) (rate(rsolv_billing_payment_processed_total{status="failed"}[5m]))\n  /\n'
             'sum by (job) (rate(rsolv_billing_payment_processed_total[5m]))',
             'rate(rsolv_billing_payment_processed_total{status="failed"}[5m])\n  / '
             'rate(rsolv_billing_payment_processed_total{status="success"}[5m])',
             "sides-never-match", "ignoring(status)"),
    Mutation("different metrics, not summed", WEBHOOKS, "sum by (job) (rate", "(rate", "sides-never-match"),
    _extended("business hours without on()", FAILURES, "and hour() > 8", "sides-never-match"),
    _extended("weekdays without on()", CANCELLED, "and day_of_week() < 6", "sides-never-match"),
    _extended("traffic, summed without job", FAILURES, f"and sum({_PROCESSED}) > 1", "sides-never-match"),
    _extended("matched on what is dropped", FAILURES, "and on (instance) up == 1", "label-aggregated-away"),
    Mutation("joined by what is dropped", SLOW, _QUANTILE, f"up * on (instance) {_QUANTILE}",
             "label-aggregated-away", "instance"),
    Mutation("divided by a number's vector", FAILURES, "> 0.10", "/ vector(1) > 0.10", "sides-never-match"),
    Mutation("compared with the time", CANCELLED, "> 0.10", "> vector(0.10)", "sides-never-match"),
    Mutation("panel, sides apart", "Payment Success Rate", "/ sum(", "/ sum by (job) (",
             "label-aggregated-away"),
    # Thresholds out of reach.
    Mutation("a percentage", FAILURES, "> 0.10", "> 10", "out-of-range", "> 0.1"),
    Mutation("more than the whole", CRITICAL, "> 0.25", "> 1", "out-of-range"),
    Mutation("percentages over 100", FAILURES, "> 0.10", "* 100 > 100.5", "out-of-range"),
    Mutation("less than nothing", FAILURES, "> 0.10", "< 0", "out-of-range"),
    Mutation("success below nothing", CRITICAL, "> 0.25", "- 1 > 0", "out-of-range"),
    Mutation("increase below 0", STALLED, f"{_FIRST_HALF}\n  or\n{_ABSENT}", f"{_FIRST_HALF[:-4]}< 0",
             "out-of-range"),
    Mutation("a count of nothing", STALLED, f"{_FIRST_HALF}\n  or\n{_ABSENT}",
             "count(rsolv_billing_stripe_webhook_received_total) == 0", "out-of-range", "absent("),
    Mutation("absent is 0", STALLED, f"{_FIRST_HALF}\n  or\n{_ABSENT}", f"{_ABSENT} == 0", "out-of-range"),
    Mutation("both halves", STALLED, f"{_FIRST_HALF}\n  or\n{_ABSENT}",
             f"{_FIRST_HALF[:-4]}< 0 or {_ABSENT} > 1", "out-of-range"),
    Mutation("truth over 1", SLOW, "> 1000", "> bool 1000 > 1", "out-of-range"),
    Mutation("not a number", CANCELLED, "> 0.10", "> NaN", "out-of-range"),
    _extended("the 25th hour", FAILURES, "and on () hour() > 23", "out-of-range"),
    _extended("the eighth day", CANCELLED, "and on () day_of_week() == 7", "out-of-range"),
    Mutation("panel, active with less than nothing", "Active Subscriptions by Plan", "> 0", "< 0",
             "out-of-range"),
    Mutation("panel, top none", "Failed Payments by Reason", "topk(10,", "topk(0,", "always-empty"),
    # `for` and time.
    _extended("business hours for half a day", FAILURES, "and on () (hour() >= 9 and hour() < 17)",
              "for-too-long", 12 * HOURS),
    _extended("business hours to the minute", GRANTS, "and on () (hour() >= 9 and hour() < 17)",
              "for-too-long",
              8 * HOURS),
    _extended("a Sunday for two days", CANCELLED, "and on () day_of_week() == 0", "for-too-long", 2 * DAYS),
    _extended("a weekend for three days", CANCELLED, "and on () (day_of_week() == 0 or day_of_week() == 6)",
              "for-too-long", 3 * DAYS),
    _extended("not at night, for a day", SLOW, "unless on () (hour() < 6 or hour() >= 22)", "for-too-long",
              DAYS),
    _extended("a month's first day, for two", CANCELLED, "and on () day_of_month() == 1", "for-too-long",
              2 * DAYS),
    # Conditions that exclude each other.
    _extended("two hours at once", FAILURES, "and on () (hour() > 20 and hour() < 6)", "contradiction"),
    Mutation("over and below", SLOW, "> 1000", "> 1000 < 500", "contradiction"),
    Mutation("twice equal", STALLED, f"{_FIRST_HALF}\n  or\n{_ABSENT}", f"{_FIRST_HALF} == 1",
             "contradiction"),
    _extended("unless it is high", FAILURES,
              'unless sum by (job) (rate(rsolv_billing_payment_processed_total{status="failed"}[5m]))\n  /\n'
              f'sum by (job) ({_PROCESSED}) > 0.05', "contradiction"),
    _extended("and it is low", FAILURES,
              'and sum by (job) (rate(rsolv_billing_payment_processed_total{status="failed"}[5m]))\n  /\n'
              f'sum by (job) ({_PROCESSED}) < 0.05', "contradiction"),
    Mutation("unless itself", STALLED, f"or\n{_ABSENT}", f"unless\n{_FIRST_HALF[:-5]}", "contradiction"),
    # Ranges that hold one scrape.
    Mutation("ten seconds of scrapes each 15", FAILURES, "[5m]", "[10s]", "range-too-short", "[1m]"),
    Mutation("one side short", WEBHOOKS, "failed_total[5m]", "failed_total[5s]", "range-too-short"),
    Mutation("buckets over 10 seconds", SLOW, "[5m]", "[10s]", "range-too-short"),
    Mutation("panel, short", "Revenue by Plan", "[24h]", "[10s]", "range-too-short"),
    # What Prometheus refuses.
    Mutation("a range of a sum", FAILURES, "sum by (job) (rate", "rate(sum by (job) (rate", "not-promql"),
    Mutation("one equals sign", STALLED, "== 0", "= 0", "not-promql"),
]  # fmt: skip
