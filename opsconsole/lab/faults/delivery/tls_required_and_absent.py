"""Alertmanager sends nothing without TLS, and the mail server offers none."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager(("smtp_require_tls: false", "smtp_require_tls: true")),
    shows={"test-email": "does not offer STARTTLS, and Alertmanager is to send nothing without it"},
)
