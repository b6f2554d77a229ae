"""The component of an alert is misspelt on the server: the routes for billing pass it by."""

from opsconsole.lab.faults import Fault

WARNING = "severity: warning\n          component: billing\n          subsystem: subscription"

FAULT = Fault(
    breaks=lambda lab: lab.rules((WARNING, WARNING.replace("billing", "biling"))),
    shows={"rules": r"SubscriptionCancellationRateHigh: differs[\s\S]*\+labels: component=biling"},
    follows={"routing": r"SubscriptionCancellationRateHigh: never reaches [\s\S]*biling"},
)
