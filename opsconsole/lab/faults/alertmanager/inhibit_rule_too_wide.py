"""An inhibit rule has lost its `equal`: a critical alert of any other system mutes all warnings."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

RULE = """inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
"""


def breaks(lab: Workshop) -> None:
    lab.alertmanager(("inhibit_rules:\n", RULE))
    lab.fire(alertname="StagingDiskFull", severity="critical", environment="staging")


FAULT = Fault(
    breaks=breaks,
    shows={
        "routing": r"(?s)SubscriptionCancellationRateHigh: is inhibited now by StagingDiskFull, which fires\n"
        r'by the inhibit rule: severity="critical" mutes severity="warning", whatever else they have'
    },
)
