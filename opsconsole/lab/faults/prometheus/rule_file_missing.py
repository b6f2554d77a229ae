"""The rule file is not where Prometheus looks for it: it runs happily, without a rule."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.prometheus(("- billing-alerts.yml", "- rules/billing-alerts.yml")),
    shows={
        "rules": r"no alert rule at all\s+no rule comes from \S*/rules/billing-alerts\.yml, which rule_files"
    },
    follows={"thresholds": "no alert rule is loaded", "routing": "no such alert rule is loaded"},
)
