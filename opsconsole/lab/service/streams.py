"""What happens in the billing service by itself: steady streams of events, the same live and in history.

A stream is one kind of event for one customer at a steady rate. Each occurrence moves its counter by one
and observes values in histograms, taken in turn from a short cycle, so that after n occurrences every
series has one known value: the live service counts up to it, the history computes it.

A stream that fails has a late `phase`, and each share of failures is far below its alert's threshold in
every window, also in the first seconds.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

Labels = tuple[tuple[str, str], ...]

TRIAL, PRO, TEAMS = ("cus_lab_ada", "trial"), ("cus_lab_ben", "pro"), ("cus_lab_cyn", "teams")
PAYERS = ((*PRO, "card", 4900), (*TEAMS, "sepa_debit", 19900))
WEBHOOK_TYPES = (
    ("invoice.paid", 2.0),
    ("customer.subscription.updated", 1.2),
    ("payment_method.attached", 0.8),
)


@dataclass(frozen=True)
class Observed:
    """A histogram's series that a stream observes, and the values it takes in turn."""

    family: str
    labels: Labels
    values: tuple[int, ...]


@dataclass(frozen=True)
class Stream:
    """One kind of event: a counter's series, its mean rate and what is observed with each."""

    family: str
    labels: Labels
    per_second: float
    phase: float = 0.0  # the share of one interval before which an occurrence never comes
    observed: tuple[Observed, ...] = ()
    beside: tuple[tuple[str, Labels], ...] = ()  # other counters' series that move with it
    subject: str = ""  # "payment", "webhook", ...: what the faults act upon
    failed: bool = False


def labels_of(**labels: str) -> Labels:
    """Labels in a form that can be a key."""
    return tuple(sorted(labels.items()))


def streams(seed: int) -> tuple[Stream, ...]:
    """All streams, about 17 events a second; the seed shapes the values they observe."""
    rng = random.Random(seed)
    return (*_subscriptions(), *_payments(rng), *_webhooks(rng), *_usage(rng), *_credits(rng))


def _subscriptions() -> Iterator[Stream]:
    for customer, plan in (TRIAL, PRO, TEAMS):
        created = labels_of(customer_id=customer, plan=plan, status="success")
        yield Stream("subscription_created", created, 0.04)
    failed = labels_of(customer_id=PRO[0], plan=PRO[1], status="failed")
    yield Stream("subscription_created", failed, 0.001, phase=0.5, failed=True)
    for customer, plan in (PRO, TEAMS):
        yield Stream(
            "subscription_renewed", labels_of(customer_id=customer, plan=plan, status="success"), 0.1
        )
    yield Stream("subscription_renewed", failed, 0.001, phase=0.5, failed=True)
    for (customer, plan), reason in ((TRIAL, "trial_expired"), (PRO, "too_expensive"), (TEAMS, "requested")):
        cancelled = labels_of(customer_id=customer, plan=plan, reason=reason)
        yield Stream("subscription_cancelled", cancelled, 0.001, phase=0.5, subject="cancellation")


def _payments(rng: random.Random) -> Iterator[Stream]:
    for customer, plan, method, cents in PAYERS:
        for status, per_second in (("success", 2.0), ("failed", 0.04)):
            labels = labels_of(customer_id=customer, status=status, payment_method=method)
            durations = labels_of(customer_id=customer, payment_method=method)
            amounts = _cycle(rng, 7, 0.9 * cents, 1.1 * cents)
            observed = (
                Observed("payment_processed_amount_cents", labels, amounts),
                Observed("payment_processed_duration_milliseconds", durations, _cycle(rng, 11, 180, 1400)),
            )
            failed = status == "failed"
            yield Stream(
                "payment_processed",
                labels,
                per_second,
                0.5 * failed,
                observed,
                subject="payment",
                failed=failed,
            )
        invoices = Observed("invoice_paid_amount_cents", labels_of(customer_id=customer, plan=plan), amounts)
        yield Stream("invoice_paid", invoices.labels, 0.5, observed=(invoices,))
    for (customer, _), code, per_second in (
        (PRO, "card_declined", 0.016),
        (PRO, "expired_card", 0.004),
        (TEAMS, "insufficient_funds", 0.01),
    ):
        yield Stream("invoice_failed", labels_of(customer_id=customer, failure_code=code), per_second, 0.5)


def _webhooks(rng: random.Random) -> Iterator[Stream]:
    name = "stripe_webhook_received"
    for event_type, per_second in WEBHOOK_TYPES:
        for failed in (False, True):
            labels = labels_of(event_type=event_type, status="failed" if failed else "success")
            durations = Observed(f"{name}_duration_milliseconds", labels, _cycle(rng, 13, 15, 220))
            rate = 0.01 * per_second if failed else per_second
            reason = labels_of(event_type=event_type, failure_reason="handler_error")
            beside = (("stripe_webhook_failed", reason),) if failed else ()
            yield Stream(
                name, labels, rate, 0.5 * failed, (durations,), beside, subject="webhook", failed=failed
            )


def _usage(rng: random.Random) -> Iterator[Stream]:
    for (customer, plan), per_second in ((TRIAL, 0.6), (PRO, 1.6), (TEAMS, 2.2)):
        labels = labels_of(customer_id=customer, plan=plan, resource_type="fix")
        quantities = tuple(rng.choice((1, 1, 1, 2, 3, 8)) for _ in range(11))
        yield Stream(
            "usage_tracked",
            labels,
            per_second,
            observed=(Observed("usage_tracked_quantity", labels, quantities),),
        )
        yield Stream("credits_consumed", labels_of(customer_id=customer, plan=plan), 0.9 * per_second)


def _credits(rng: random.Random) -> Iterator[Stream]:
    grants = (
        (TRIAL[0], "signup_bonus", 0.1),
        (PRO[0], "billing_added", 0.06),
        (TEAMS[0], "billing_added", 0.06),
    )
    for customer, reason, per_second in grants:
        labels = labels_of(customer_id=customer, reason=reason)
        quantity = Observed("credits_added_quantity", labels, _cycle(rng, 5, 20, 240))
        yield Stream("credits_added", labels, per_second, observed=(quantity,), subject="credit")


def _cycle(rng: random.Random, length: int, low: float, high: float) -> tuple[int, ...]:
    return tuple(round(rng.uniform(low, high)) for _ in range(length))
