"""The metric families of the billing service: names, kinds, labels and buckets, as RSOLV's plugin has them.

Durations are in milliseconds, amounts in cents. Every family but those of the webhooks carries the
customer as well. Counters are named here without their `_total`.
"""

from dataclasses import dataclass

PREFIX = "rsolv_billing_"

CENTS = (100.0, 500.0, 1500.0, 4900.0, 10000.0, 50000.0)


@dataclass(frozen=True)
class Family:
    """One family; with `buckets` (upper bounds) it is a histogram, without them a counter."""

    name: str
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()

    @property
    def exposed_name(self) -> str:
        """The name of its samples, for a histogram the part before `_bucket`, `_sum` and `_count`."""
        return f"{PREFIX}{self.name}" if self.buckets else f"{PREFIX}{self.name}_total"


def _of_customer(name: str, labels: str, text: str, buckets: tuple[float, ...] = ()) -> Family:
    return Family(name, ("customer_id", *labels.split()), text, buckets)


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        _of_customer("subscription_created", "plan status", "Subscriptions created"),
        _of_customer("subscription_renewed", "plan status", "Subscriptions renewed"),
        _of_customer("subscription_cancelled", "plan reason", "Subscriptions cancelled"),
        _of_customer("payment_processed", "status payment_method", "Payments processed"),
        _of_customer("invoice_paid", "plan", "Invoices paid"),
        _of_customer("invoice_failed", "failure_code", "Invoices whose payment failed"),
        Family("stripe_webhook_received", ("event_type", "status"), "Stripe webhooks received"),
        Family(
            "stripe_webhook_failed", ("event_type", "failure_reason"), "Stripe webhooks refused or failed"
        ),
        _of_customer("usage_tracked", "plan resource_type", "Usage records"),
        _of_customer("credits_added", "reason", "Credit grants"),
        _of_customer("credits_consumed", "plan", "Credits consumed"),
        _of_customer("payment_processed_amount_cents", "status payment_method", "Amount of a payment", CENTS),
        _of_customer("invoice_paid_amount_cents", "plan", "Amount of a paid invoice", CENTS),
        _of_customer(
            "payment_processed_duration_milliseconds",
            "payment_method",
            "Time to process a payment",
            (100.0, 250.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0),
        ),
        Family(
            "stripe_webhook_received_duration_milliseconds",
            ("event_type", "status"),
            "Time to handle a Stripe webhook",
            (10.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 5000.0),
        ),
        _of_customer(
            "usage_tracked_quantity",
            "plan resource_type",
            "Quantity of a usage record",
            (1.0, 5.0, 10.0, 20.0, 50.0, 100.0),
        ),
        # An alert watches for grants of more than 1000: a quantile is never above the highest finite bound.
        _of_customer(
            "credits_added_quantity",
            "reason",
            "Credits of one grant",
            (10.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0),
        ),
    )
}
