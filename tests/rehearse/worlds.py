"""What would be known of a Prometheus that holds these series and no others."""

from collections.abc import Mapping

from opsconsole.rehearse.known import Known
from opsconsole.rehearse.schema import Metric, Schema


def world(*series: Mapping[str, str]) -> Known:
    """The label sets as `GET /api/v1/series` has them."""
    by_name: dict[str, list[dict[str, str]]] = {}
    for each in series:
        labels = {name: value for name, value in each.items() if name != "__name__"}
        by_name.setdefault(each["__name__"], []).append(labels)
    metrics = {
        name: Metric(
            name=name,
            series=tuple(found),
            possible=frozenset().union(*found),
            always=frozenset.intersection(*map(frozenset, found)),
        )
        for name, found in by_name.items()
    }
    return Known(Schema(origin="environment", metrics=metrics), {})
