"""An alert_relabel_configs that drops alerts for test systems drops the critical billing alert."""

from opsconsole.lab.faults import Fault

DROP = """\
alerting:
  alert_relabel_configs:
    - source_labels: [alertname]
      regex: .*Critical
      action: drop
"""

FAULT = Fault(
    breaks=lambda lab: lab.prometheus(("alerting:\n", DROP)),
    shows={"routing": "BillingPaymentFailureRateCritical: is dropped by alert_relabel_configs"},
)
