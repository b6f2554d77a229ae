"""The mail server asks to try again later, whenever it is asked."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.mail(refused={"*": "451 4.7.1 greylisted, try again in 5 minutes"}),
    shows={"test-email": "refuses the recipient for now: 451 4.7.1 greylisted"},
)
