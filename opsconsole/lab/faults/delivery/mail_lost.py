"""The mail server takes every mail and delivers none."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.mail(lost=True),
    shows={"test-email": "Alertmanager handed it over, so it is lost or late behind the mail server"},
)
