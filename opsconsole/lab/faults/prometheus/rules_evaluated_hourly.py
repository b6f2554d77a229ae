"""The interval of a group was set to an hour on the server: its alerts come up to an hour late."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.rules(
        ("- name: billing-payments\n", "- name: billing-payments\n    interval: 1h\n")
    ),
    shows={"rules": "group billing-payments: is evaluated every 1 h, not every 1 s"},
)
