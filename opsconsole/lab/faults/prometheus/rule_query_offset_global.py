"""Prometheus was told to judge what was an hour ago (`rule_query_offset`): every alert comes an hour late."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    lab.needs_prometheus("2.53")
    lab.prometheus(("global:\n", "global:\n  rule_query_offset: 1h\n"))


FAULT = Fault(
    breaks=breaks,
    shows={"rules": "rules judge what was 1 h ago: rule_query_offset of Prometheus is 1 h"},
)
