"""A group of rules takes longer to evaluate than its interval: evaluations are left out."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

GROUP = "  - name: billing-subscriptions\n    rules:\n"
HEAVY = """\
      - record: job:stripe_webhook_duration:p95_worst_15d
        expr: >-
          quantile_over_time(0.99, histogram_quantile(0.95, sum by (job, le)
          (rate(rsolv_billing_stripe_webhook_received_duration_milliseconds_bucket[5m])))[15d:6s])
"""


def breaks(lab: Workshop) -> None:
    lab.rules((GROUP, GROUP + HEAVY), reference=True)

    def left_out() -> bool:
        groups = lab.ask(f"{lab.lab.prometheus_url}/api/v1/rules")["data"]["groups"]
        return any(group["evaluationTime"] > group["interval"] for group in groups)

    lab.until(left_out, "a group to take longer than its interval")


FAULT = Fault(
    breaks=breaks,
    shows={
        "rules": r"group billing-subscriptions: takes .* to evaluate and should be evaluated every 1 s.*\s+"
        r"job:stripe_webhook_duration:p95_worst_15d alone takes"
    },
)
