"""The mails of critical alerts reach the person on call without a text: a letter in its template is wrong."""

from opsconsole.lab.faults import Fault

MAIL = "  - to: billing-oncall@rsolv.dev\n    send_resolved: true\n    text: |-\n      {{ range .Alerts"

FAULT = Fault(
    breaks=lambda lab: lab.alertmanager((f"{MAIL} }}}}", f"{MAIL}.Fireing }}}}")),
    alert="BillingPaymentFailureRateCritical",
    shows={
        "BillingPaymentFailureRateCritical": r"(?s)billing-oncall@rsolv\.dev: the mail arrived without a text"
        r".*look at the template of its text or html in the receiver"
    },
    unseen=r"billing-oncall@rsolv\.dev.* get theirs was not looked at",
)
