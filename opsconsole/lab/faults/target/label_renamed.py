"""The service exports the label `status` as `state`, and the alerts ask for `status` still."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    lab.distort("service", Distortion(path="/metrics", replaced=(('([{,])status="', r'\1state="'),)))
    gone = 'last_over_time(rsolv_billing_payment_processed_total{status="failed"}[3s])'
    lab.until(lambda: not lab.queried(gone), "the label to be gone")


RENAMED = r"rsolv_billing_\w+, whose series have no label `status` any longer.*`state`"

FAULT = Fault(
    breaks=breaks,
    shows={"rules": rf"(?s)BillingPaymentFailureRateCritical: rests on {RENAMED}"},
    follows={"panels": rf"(?s)Payment Success Rate: rests on {RENAMED}", "webhook-metrics": "label `status`"},
)
