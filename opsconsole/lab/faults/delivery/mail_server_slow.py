"""The mail server takes minutes to accept a mail."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.mail(delay_seconds=240.0),
    shows={"test-email": "still handing it over, the mail server has not taken it yet"},
)
