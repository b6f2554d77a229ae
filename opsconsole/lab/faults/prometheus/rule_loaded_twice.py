"""The rule file is loaded twice, once out of a copy: every alert has a twin."""

import shutil

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

COPY = "billing-alerts-copy.yml"


def breaks(lab: Workshop) -> None:
    shutil.copy(lab.lab.rules_path, lab.lab.folder / COPY)
    lab.prometheus(("  - billing-alerts.yml\n", f"  - billing-alerts.yml\n  - {COPY}\n"))


FAULT = Fault(
    breaks=breaks,
    shows={"rules": r"BillingPaymentFailureRateCritical: is loaded once more\s+.*/billing-alerts-copy\.yml"},
)
