"""An inhibit rule mutes the info alerts while Watchdog fires, and Watchdog fires for ever."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

RULE = """inhibit_rules:
  - source_matchers: [alertname="Watchdog"]
    target_matchers: [severity="info"]
"""


def breaks(lab: Workshop) -> None:
    lab.alertmanager(("inhibit_rules:\n", RULE))
    lab.fire(alertname="Watchdog", severity="none")


FAULT = Fault(
    breaks=breaks,
    shows={
        "routing": r"(?s)StripeWebhooksStalled: is inhibited now by Watchdog, which fires\n"
        r'by the inhibit rule: alertname="Watchdog" mutes severity="info"'
    },
    follows={"test-email": "inhibited now by Watchdog"},
)
