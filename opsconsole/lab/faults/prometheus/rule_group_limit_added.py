"""A group was given a limit: when more than one alert fires at a time, the rule fails and none is sent."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.rules(("- name: billing-payments\n", "- name: billing-payments\n    limit: 1\n")),
    shows={"rules": "group billing-payments: has the limit 1, and none in the reference"},
)
