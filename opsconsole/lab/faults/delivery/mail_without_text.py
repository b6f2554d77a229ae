"""The mails arrive empty, again and again: the template of their text is not there."""

from opsconsole.lab.faults import Fault

INFO = (
    "  - name: billing-info\n    email_configs:\n      - to: alerts@rsolv.dev\n        send_resolved: true\n"
)
MISSING = "        text: '{{ template \"billing.text\" . }}'\n"

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager((f"{INFO}        text: *mail\n", INFO + MISSING)),
    shows={"test-email": r"(?s)alerts@rsolv\.dev: the mail arrived without a text.*template"},
)
