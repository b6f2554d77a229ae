"""An alert's own label hides that of its series: as soon as two are due, the rule fails and none fires."""

from opsconsole.lab.faults import Fault

BY_JOB = "sum by (job) (rate(rsolv_billing_stripe_webhook_"
WEBHOOK = "severity: warning\n          component: billing\n          subsystem: webhook"

FAULT = Fault(
    breaks=lambda lab: lab.rules(
        (BY_JOB, BY_JOB.replace("(job)", "(job, event_type)")),
        (WEBHOOK, f"{WEBHOOK}\n          event_type: any"),
        reference=True,
    ),
    shows={"rules": "StripeWebhookFailureRateHigh: its own label event_type makes different alerts one"},
)
