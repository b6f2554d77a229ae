"""The mailbox in which the test mails arrive cannot be read."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault
from opsconsole.model import Outcome

FAULT = Fault(
    breaks=lambda lab: lab.distort(
        "inbox", Distortion(path="/health|/messages", status=503, body="restoring")
    ),
    shows={"test-email": "inbox .*answered 503"},
    outcome=Outcome.UNKNOWN,
)
