"""The mail server wants a login, and Alertmanager has none."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.mail(login_required=True),
    shows={"test-email": "the mail server wants a login, and Alertmanager is given none: 530"},
)
