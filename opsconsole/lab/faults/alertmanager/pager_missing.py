"""PagerDuty was taken out of the receiver of the critical alerts: they wake nobody."""

from opsconsole.lab.faults import Fault

PAGER = """    pagerduty_configs:
      - routing_key: lab-billing-critical
        severity: critical
        component: '{{ .CommonLabels.subsystem }}'
        group: '{{ .CommonLabels.component }}'
"""

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager((PAGER, "")),
    shows={
        "routing": r"(?s)BillingPaymentFailureRateCritical: never reaches pagerduty\n"
        r".*no receiver has pagerduty"
    },
)
