"""The service was deployed without its webhook secret, and checks signatures with an empty one."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.service.webhooks import EMPTY_SECRET

FAULT = Fault(
    breaks=lambda lab: lab.service(webhooks_believed=[EMPTY_SECRET]),
    shows={"webhook-metrics": r"(?s)made with an empty secret was ACCEPTED.*its webhook secret is not set"},
)
