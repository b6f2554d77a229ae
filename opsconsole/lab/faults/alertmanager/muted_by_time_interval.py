"""The warnings should be muted at weekends, and the interval for it is the whole week."""

from opsconsole.lab.faults import Fault

INTERVAL = (
    "time_intervals:\n  - {name: weekends, time_intervals: [{weekdays: ['sunday:saturday']}]}\n\nroute:\n"
)
RECEIVER = "      receiver: billing-warning\n"

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager(
        ("route:\n  receiver", f"{INTERVAL}  receiver"),
        (RECEIVER, f"{RECEIVER}      mute_time_intervals: [weekends]\n"),
    ),
    shows={
        "routing": r"(?s)StripeWebhookFailureRateHigh: notifies nobody now: "
        r"muted by the time interval weekends.* and so it stays for ever"
    },
)
