"""Of the two people who are to be woken up, the mail server refuses one."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.mail(refused={"billing-oncall@rsolv.dev": "550 5.1.1 no such person"}),
    alert="BillingPaymentFailureRateCritical",
    shows={
        "BillingPaymentFailureRateCritical": r"nothing for email billing-oncall@rsolv\.dev; "
        r"the mail server .* refuses the recipient: 550 5\.1\.1 no such person"
    },
    unseen=r"billing-oncall@rsolv\.dev.* get theirs was not looked at",
)
