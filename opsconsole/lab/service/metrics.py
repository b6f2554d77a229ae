"""The service's metrics as prometheus_client keeps and exposes them."""

import time
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from opsconsole.lab.service.families import FAMILIES, PREFIX
from opsconsole.lab.service.streams import Stream

disable_created_metrics()  # type: ignore[no-untyped-call]


class _Visible:
    """A registry's families without those withheld, stamped where there is a time to stamp them with."""

    def __init__(
        self, registry: CollectorRegistry, withheld: frozenset[str], stamp: float | None = None
    ) -> None:
        self._registry = registry
        self._withheld = withheld
        self._stamp = stamp

    def collect(self) -> Iterable[Metric]:
        for metric in self._registry.collect():
            if metric.name not in self._withheld:
                if self._stamp is not None:
                    metric.samples = [sample._replace(timestamp=self._stamp) for sample in metric.samples]
                yield metric


class Metrics:
    """All families of the service; a family named in `withheld` is kept back from /metrics. With a
    `clock_offset_seconds` the samples are stamped, by a clock that is so far ahead of ours."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self.withheld: frozenset[str] = frozenset()
        self.clock_offset_seconds = 0.0
        self._counters: dict[str, Counter] = {}
        self._histograms: dict[str, Histogram] = {}
        for name, family in FAMILIES.items():
            if family.buckets:
                self._histograms[name] = Histogram(
                    PREFIX + name, family.help, family.labels, buckets=family.buckets, registry=self._registry
                )
            else:
                self._counters[name] = Counter(
                    PREFIX + name, family.help, family.labels, registry=self._registry
                )

    def count(self, family: str, amount: float = 1, /, **labels: str) -> None:
        """Add to a counter; with an amount of 0 its series only comes to be."""
        self._counters[family].labels(**labels).inc(amount)

    def observe(self, family: str, value: float, /, **labels: str) -> None:
        self._histograms[family].labels(**labels).observe(value)

    def clear(self) -> None:
        """Forget all series, as a restart does."""
        for metric in (*self._counters.values(), *self._histograms.values()):
            metric.clear()

    def prepare(self, streams: Iterable[Stream]) -> None:
        """Bring all series of these streams into being, at zero."""
        for stream in streams:
            for family, labels in ((stream.family, stream.labels), *stream.beside):
                self._counters[family].labels(**dict(labels))
            for observed in stream.observed:
                self._histograms[observed.family].labels(**dict(observed.labels))

    def webhook(self, event_type: str, milliseconds: float, failure_reason: str = "") -> None:
        """One webhook handled, or failed for this reason."""
        status = "failed" if failure_reason else "success"
        self.count("stripe_webhook_received", event_type=event_type, status=status)
        self.observe(
            "stripe_webhook_received_duration_milliseconds",
            milliseconds,
            event_type=event_type,
            status=status,
        )
        if failure_reason:
            self.count("stripe_webhook_failed", event_type=event_type, failure_reason=failure_reason)

    def payment(
        self, customer: str, status: str, cents: float, milliseconds: float, method: str = "card"
    ) -> None:
        """One payment tried."""
        self.count("payment_processed", customer_id=customer, status=status, payment_method=method)
        self.observe(
            "payment_processed_amount_cents",
            cents,
            customer_id=customer,
            status=status,
            payment_method=method,
        )
        self.observe(
            "payment_processed_duration_milliseconds",
            milliseconds,
            customer_id=customer,
            payment_method=method,
        )

    def grant(self, customer: str, reason: str, quantity: float) -> None:
        """One grant of credits."""
        self.count("credits_added", customer_id=customer, reason=reason)
        self.observe("credits_added_quantity", quantity, customer_id=customer, reason=reason)

    def expose(self, accept: str) -> tuple[bytes, str]:
        """The exposition and its content type, in the format that the scraper asks for."""
        encode, content_type = choose_encoder(accept)
        stamp = time.time() + self.clock_offset_seconds if self.clock_offset_seconds else None
        return encode(_Visible(self._registry, self.withheld, stamp)), content_type
