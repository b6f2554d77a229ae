"""The critical alerts are sent only in an on-call contract's years, and these are over."""

from opsconsole.lab.faults import Fault

INTERVAL = "time_intervals:\n  - {name: contract, time_intervals: [{years: ['2020:2024']}]}\n\nroute:\n"
RECEIVER = "      receiver: billing-critical\n"

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager(
        ("route:\n  receiver", f"{INTERVAL}  receiver"),
        (RECEIVER, f"{RECEIVER}      active_time_intervals: [contract]\n"),
    ),
    shows={
        "routing": r"(?s)BillingPaymentFailureRateCritical: notifies nobody now: "
        r"outside its active time intervals \(contract\).* and so it stays for ever"
    },
)
