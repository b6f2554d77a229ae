"""An older version of the rules runs: an alert is missing, others have their thresholds of then."""

import shutil

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

GRANT = "BillingCreditGrantAnomalyDetected"


def breaks(lab: Workshop) -> None:
    shutil.copy(lab.lab.rules_path, lab.lab.reference_rules_path)
    text = lab.lab.rules_path.read_text(encoding="utf-8")
    old = text[: text.index("  - name: billing-business")].replace("> 0.10", "> 0.20").replace("15m", "30m")
    lab.lab.rules_path.write_text(old, encoding="utf-8")
    lab.prometheus()


FAULT = Fault(
    breaks=breaks,
    shows={"rules": r"of 7, 1 are missing and 3 differ[\s\S]*is another version of the file deployed"},
    follows={
        "thresholds": f"{GRANT}: is not loaded",
        "routing": f"{GRANT}: no such alert rule is loaded",
    },
)
