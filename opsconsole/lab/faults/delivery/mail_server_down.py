"""The mail server is down; the mailboxes can still be read."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.mail(listening=False),
    shows={
        "test-email": r"(?s)alerts@rsolv\.dev: no mail within .* in vain to send email"
        r".*mail_server_answers: UNKNOWN, mail server 127\.0\.0\.1:\d+: connection refused"
    },
)
