"""An alert asks for a metric that nobody exports: cancelled is spelt with one l."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.rules(("_cancelled_total[24h]", "_canceled_total[24h]"), reference=True),
    shows={
        "rules": "SubscriptionCancellationRateHigh: can never fire: "
        "rsolv_billing_subscription_canceled_total is exported by nobody"
    },
    follows={"thresholds": "rsolv_billing_subscription_canceled_total"},
)
