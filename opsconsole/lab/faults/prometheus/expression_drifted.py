"""The expression of an alert was changed on the server: failed creations of subscriptions count as well."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.rules(
        ('subscription_created_total{status="success"}', "subscription_created_total")
    ),
    shows={
        "rules": r"(?s)SubscriptionCancellationRateHigh: differs from the reference.*"
        r'-[^\n]*created_total\{status="success"\}.*\+[^\n]*created_total\['
    },
)
