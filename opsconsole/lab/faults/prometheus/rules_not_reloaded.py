"""New rules are on disk and nobody told Prometheus to read them: the old ones run."""

import shutil

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    lab.edit(lab.lab.rules_path, ("> 0.25", "> 0.20"), ("for: 10m", "for: 5m"))
    shutil.copy(lab.lab.rules_path, lab.lab.reference_rules_path)


FAULT = Fault(
    breaks=breaks,
    shows={
        "rules": r"(?s)BillingPaymentFailureRateCritical: differs from the reference.*-for: 300 s.*"
        r"billing-alerts\.yml was read .* ago"
    },
)
