"""What a metrics endpoint exposes, in Prometheus' text format or OpenMetrics."""

from collections.abc import Iterator

import msgspec

from opsconsole.errors import Nonsense
from opsconsole.redaction import excerpt


class MetricFamily(msgspec.Struct, frozen=True):
    """One family by the name that PromQL knows: a counter's ends in `_total` where its samples' do.

    `kind` is counter, gauge, histogram, summary or unknown; `samples` are (name, labels, value); `stamps` are
    the times, in unix seconds, of those samples that say of when they are.
    """

    name: str
    kind: str
    samples: list[tuple[str, dict[str, str], float]]
    stamps: list[float] = []


def families(text: str, content_type: str, where: str) -> dict[str, MetricFamily]:
    """All families in `text`, by name. Raises Nonsense for what is not an exposition."""
    if "text/html" in content_type or text.lstrip().startswith("<"):
        raise Nonsense("answered HTML where metrics were expected", where=where)
    found: dict[str, MetricFamily] = {}
    for name, kind, samples, stamps in _parsed(text, content_type, where):
        if kind == "counter" and all(sample[0] == f"{name}_total" for sample in samples):
            name += "_total"
        known = found.setdefault(name, MetricFamily(name, kind, []))
        known.samples.extend(samples)
        known.stamps.extend(stamps)
    return found


def samples(text: str, where: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """All samples in `text`, (name, labels, value). Raises Nonsense for what is not an exposition."""
    for _, _, found, _ in _parsed(text, "", where):
        yield from found


def _parsed(
    text: str, content_type: str, where: str
) -> Iterator[tuple[str, str, list[tuple[str, dict[str, str], float]], list[float]]]:
    if "openmetrics" in content_type:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    else:
        from prometheus_client.parser import text_string_to_metric_families
    try:
        for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
            found = [(sample.name, dict(sample.labels), float(sample.value)) for sample in family.samples]
            # OpenMetrics counts creation times as samples of the family; they are no values of it.
            own = [one for one in found if one[0] != f"{family.name}_created"]
            stamps = [float(one.timestamp) for one in family.samples if one.timestamp is not None]
            yield family.name, family.type, own, stamps
    except Exception as error:  # the parsers raise what their string handling raises
        reason = excerpt(f"{type(error).__name__}: {error}", 200)
        raise Nonsense(f"answered no metrics: {reason}", where=where) from error
