"""A panel's query asks for a label value that does not exist."""

from opsconsole.lab.faults import Fault
from opsconsole.model import Outcome

FAULT = Fault(
    breaks=lambda lab: lab.dashboard(
        ('resource_type=\\"fix\\"', 'resource_type=\\"fixes\\"'), reference=True
    ),
    shows={"panels": 'Usage Tracking .resource_type="fixes", perhaps "fix"'},
    outcome=Outcome.SIGN_OFF,
)
