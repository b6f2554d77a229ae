"""The route that archives all billing alerts stands before the others without `continue: true`."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

ROUTES = "  routes:\n    - matchers: [component="


def breaks(lab: Workshop) -> None:
    route = '    - {matchers: [component="billing"], receiver: archive}\n'
    receiver = f"  - {{name: archive, webhook_configs: [{{url: '{lab.lab.inbox_url}/archive'}}]}}\n"
    lab.alertmanager(
        (ROUTES, ROUTES.replace("  routes:\n", f"  routes:\n{route}")),
        ("receivers:\n", f"receivers:\n{receiver}"),
    )


FAULT = Fault(
    breaks=breaks,
    shows={
        "routing": r"(?s)never reaches .*billing-info would reach them, but root → component=.billing. "
        r"stands before it, takes the alert, and has no `continue: true`"
    },
    follows={"test-email": "its route ends at archive, which sends no email"},
)
