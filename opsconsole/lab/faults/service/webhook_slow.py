"""The webhook endpoint takes eight seconds to answer: Stripe gives up, and sends again and again."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.service(webhook_delay_milliseconds=8000),
    shows={"webhook-metrics": r"(?s)took \d+(\.\d)? s at best to answer a webhook.*Stripe gives up"},
)
