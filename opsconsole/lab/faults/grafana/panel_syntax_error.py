"""A panel's query lost a parenthesis when it was last edited."""

from opsconsole.lab.faults import Fault

CAUSE = "parse error: unclosed left parenthesis"

FAULT = Fault(
    breaks=lambda lab: lab.dashboard(('signup_bonus\\"}[$__range]))', 'signup_bonus\\"}[$__range])')),
    shows={"panels": f"Customer Conversion Funnel: query error: .*{CAUSE}"},
    follows={"dashboard": "Customer Conversion Funnel: differs from the reference in its queries"},
)
