"""The series of the billing service that requests move, as RSOLV's plugin exports them."""

from opsconsole.faults import Moved

PREFIX = "rsolv_billing_"


def counter(name: str, **labels: str) -> Moved:
    return Moved(f"{PREFIX}{name}_total", labels)


def histogram(name: str, **labels: str) -> tuple[Moved, ...]:
    """One observation moves the count and, of the buckets, the one that holds everything."""
    return Moved(f"{PREFIX}{name}_bucket", {**labels, "le": "+Inf"}), Moved(f"{PREFIX}{name}_count", labels)


def payment(status: str) -> tuple[Moved, ...]:
    """A payment that was tried."""
    return (
        counter("payment_processed", status=status),
        *histogram("payment_processed_amount_cents", status=status),
        *histogram("payment_processed_duration_milliseconds"),
    )


def webhook(status: str) -> tuple[Moved, ...]:
    """A webhook that was received."""
    return (
        counter("stripe_webhook_received", status=status),
        *histogram("stripe_webhook_received_duration_milliseconds", status=status),
    )


def grant() -> tuple[Moved, ...]:
    """A grant of credits."""
    return counter("credits_added"), *histogram("credits_added_quantity")
