"""An inhibit rule is the wrong way round: the warning about payments mutes the critical alert."""

from opsconsole.lab.faults import Fault

RULE = """inhibit_rules:
  - source_matchers: [component="billing", severity="warning"]
    target_matchers: [component="billing", severity="critical"]
    equal: [component, subsystem]
"""

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager(("inhibit_rules:\n", RULE)),
    shows={
        "routing": r"(?s)BillingPaymentFailureRateCritical: goes silent while the less severe "
        r"BillingPaymentFailureRateHigh \(warning\) fires\nby the inhibit rule: .*severity=\"warning\" mutes"
    },
)
