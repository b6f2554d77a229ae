"""A group is evaluated once an hour and looks at five minutes of it, as its reference has it too."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    lab.rules(("- name: billing-payments\n", "- name: billing-payments\n    interval: 1h\n"), reference=True)


FAULT = Fault(
    breaks=breaks,
    shows={"rules": "BillingPaymentFailureRateCritical: is evaluated every 1 h, and looks back 5 min"},
)
