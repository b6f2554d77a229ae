"""The mail server refuses the mailbox of the alerts: there is no such person."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.mail(refused={"alerts@rsolv.dev": "550 5.1.1 no such person"}),
    shows={
        "test-email": "alerts@rsolv.dev: the mail server .* refuses the recipient: 550 5.1.1 no such person"
    },
)
