"""The mails arrive with an empty subject: its template names an annotation that there is not."""

from opsconsole.lab.faults import Fault

INFO = "  - name: billing-info\n    email_configs:\n      - to: alerts@rsolv.dev\n"
SUBJECT = "        headers: {Subject: '{{ .CommonAnnotations.sumary }}'}\n"

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager((INFO, INFO + SUBJECT)),
    shows={"test-email": r"(?s)alerts@rsolv\.dev: the mail arrived without a subject.*template"},
)
