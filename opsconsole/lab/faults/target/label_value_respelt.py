"""The service counts a failed payment as `Failed` since its last release, and the alerts ask for `failed`."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    respelt = Distortion(
        path="/metrics", replaced=((r'^(rsolv_billing_payment_processed.*status=")failed"', r'\1Failed"'),)
    )
    lab.distort("service", respelt)
    failed = 'last_over_time(rsolv_billing_payment_processed_total{status="failed"}[4s])'
    lab.until(lambda: not lab.queried(failed), "the old spelling to be scraped no longer")


FAULT = Fault(
    breaks=breaks,
    shows={"rules": r'BillingPaymentFailureRateHigh: rests on .*status="failed".*\n.*status="Failed"'},
    follows={"panels": 'status="failed"'},
)
