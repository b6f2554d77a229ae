"""An alert selects series by two values of one label at once, which none can have."""

from opsconsole.lab.faults import Fault

PROCESSED = "rate(rsolv_billing_payment_processed_total"
FAILED = f'{PROCESSED}{{status="failed"}}[5m]))\n            /\n'
BOTH = FAILED.replace('="failed"', '="failed",status=~"err.*"')
THRESHOLD = f"          sum by (job) ({PROCESSED}[5m]))\n            > 0.10"

FAULT = Fault(
    breaks=lambda lab: lab.rules((FAILED + THRESHOLD, BOTH + THRESHOLD), reference=True),
    shows={"rules": 'BillingPaymentFailureRateHigh: can never fire: .*status="failed".*status=~"err'},
    follows={"thresholds": "BillingPaymentFailureRateHigh.*status"},
)
