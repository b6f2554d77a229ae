"""A group judges what was a minute ago, by a `query_offset` that the reference does not have."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

RECORDED = "job:stripe_webhooks_failed:rate5m"
GROUP = "  - name: billing-webhooks\n"
RULES = f"{GROUP}    rules:\n"
RECORDING = f"""{RULES}      - record: {RECORDED}
        expr: sum by (job) (rate(rsolv_billing_stripe_webhook_failed_total[5m]))
"""


def breaks(lab: Workshop) -> None:
    lab.needs_prometheus("2.53")
    lab.edit(lab.lab.reference_rules_path, (RULES, RECORDING))
    lab.rules((RULES, RECORDING), (GROUP, f"{GROUP}    query_offset: 1m\n"))
    lab.until(lambda: lab.queried(RECORDED), "the group to record what was a minute ago")


FAULT = Fault(
    breaks=breaks,
    shows={"rules": "group billing-webhooks: judges what was .* ago, by a query_offset"},
)
