"""No mail is sent at all: the template of the subject is not there, which no one sees until it is used."""

from opsconsole.lab.faults import Fault

INFO = "  - name: billing-info\n    email_configs:\n      - to: alerts@rsolv.dev\n"
SUBJECT = "        headers: {Subject: '{{ template \"billing.subject\" . }}'}\n"

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager((INFO, INFO + SUBJECT)),
    shows={"test-email": "gives up at its first try, as where a template of the mail cannot be filled in"},
)
