"""A silence for one alert of another team has a regular expression that takes four of billing's, too."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.silence(("alertname", ".*High"), comment="CPUHigh of db-3, known"),
    shows={
        "routing": r"(?s)StripeWebhookFailureRateHigh: is silenced until .*: CPUHigh of db-3, known"
        r'\nthe silence is on alertname=~"\.\*High"'
    },
)
