"""An alert has no label component, in the rules and in their reference: the routes for billing pass it by."""

from opsconsole.lab.faults import Fault

SPIKE = "severity: info\n          component: billing\n          subsystem: credits"

FAULT = Fault(
    breaks=lambda lab: lab.rules(
        (SPIKE, SPIKE.replace("component: billing\n          ", "")), reference=True
    ),
    shows={
        "routing": r"BillingCreditGrantAnomalyDetected: group_wait is 30 s, not 5m[\s\S]* but .*component"
    },
)
