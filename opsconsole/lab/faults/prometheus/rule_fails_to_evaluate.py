"""A rule fails at every evaluation, for the two sides of its division do not match one to one."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

SIDE = "sum by (job) (rate(rsolv_billing_subscription_cancelled_total[24h]))\n            /\n"


def breaks(lab: Workshop) -> None:
    many = SIDE.replace("sum by (job)", "sum by (job, plan)").replace("/", "/ on (job)")
    other = "sum by (job) (rate(rsolv_billing_subscription_created_total"
    lab.rules((SIDE, many), (other, other.replace("(job)", "(job, plan)")), reference=True)
    lab.rule_fails()


FAULT = Fault(
    breaks=breaks,
    shows={"rules": "SubscriptionCancellationRateHigh: fails to evaluate: .*many-to-many"},
    follows={"thresholds": "many-to-many", "routing": "many-to-many"},
)
