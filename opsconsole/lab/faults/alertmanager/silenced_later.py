"""A silence is planned for tonight, and its regular expression takes the critical payment alert, too."""

from datetime import timedelta

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.silence(
        ("alertname", ".*Critical"),
        comment="move of db-3",
        lasting=timedelta(hours=2),
        begins_in=timedelta(hours=10),
    ),
    shows={
        "routing": r"(?s)BillingPaymentFailureRateCritical: will be silenced from .* UTC until .* UTC "
        r'by somebody: move of db-3\nthe silence is on alertname=~"\.\*Critical"'
    },
)
