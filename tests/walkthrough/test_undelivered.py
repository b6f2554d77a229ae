"""What Alertmanager's counters tell of messages that have not come."""

import pytest

from opsconsole.clients.receivers import Target
from opsconsole.walkthrough.tallies import Tally
from opsconsole.walkthrough.undelivered import _for_good

SLACK = Target("slack", "#alerts", send_resolved=True)
MAILS = [Target("email", f"{name}@x.dev", send_resolved=True) for name in "ab"]


@pytest.mark.parametrize(
    ("missing", "tally", "says"),
    [
        (
            [SLACK],
            Tally(failed=1, given_up=1, reasons=("clientError",)),
            "slack is given up at the first try (cl",
        ),
        ([SLACK], Tally(failed=55, given_up=55), "its webhook, key or channel is wrong"),
        (MAILS, Tally(failed=2, given_up=2), "a template of the mail cannot be filled in"),
        ([SLACK], Tally(failed=8, given_up=1), ""),
        ([SLACK], Tally(failed=6, given_up=6), ""),
        ([SLACK], Tally(sent=1), ""),
    ],
    ids=["refused once", "refused at each try", "two mails", "tried again", "no answer in time", "taken"],
)
def test_what_is_given_up_at_once_is_told_from_what_is_tried_again(
    missing: list[Target], tally: Tally, says: str
) -> None:
    told = _for_good({missing[0].kind: tally}, missing, 60.0)
    assert told == says if not says else says in told
