"""The critical alerts are muted for an hour of every day, for a backup, and that hour is not now."""

from datetime import UTC, datetime, timedelta

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

RECEIVER = "      receiver: billing-critical\n"


def breaks(lab: Workshop) -> None:
    hour = (datetime.now(UTC) + timedelta(hours=10)).hour
    times = f"[{{start_time: '{hour:02}:00', end_time: '{hour + 1:02}:00'}}]"
    interval = f"time_intervals:\n  - {{name: backup, time_intervals: [{{times: {times}}}]}}\n\nroute:\n"
    lab.alertmanager(
        ("route:\n  receiver", f"{interval}  receiver"),
        (RECEIVER, f"{RECEIVER}      mute_time_intervals: [backup]\n"),
    )


FAULT = Fault(
    breaks=breaks,
    shows={
        "routing": r"BillingPaymentFailureRateCritical: will notify nobody from .*:00 UTC: "
        r"muted by the time interval backup"
    },
)
