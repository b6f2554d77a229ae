"""A threshold is above the highest bucket of the histogram, and so above every quantile of it."""

from opsconsole.lab.faults import Fault

QUANTILE = "rate(rsolv_billing_credits_added_quantity_bucket[5m]))\n          )"

FAULT = Fault(
    breaks=lambda lab: lab.rules((f"{QUANTILE} > 1000", f"{QUANTILE} > 10000"), reference=True),
    shows={
        "rules": "BillingCreditGrantAnomalyDetected: can never fire: .*over 10000"
        ".*highest finite bucket, which is 5000"
    },
    follows={"thresholds": "BillingCreditGrantAnomalyDetected: its threshold can never be passed: .*bucket"},
)
