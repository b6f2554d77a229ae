"""Alertmanagers that Prometheus sends to, and whether they are one."""

from typing import cast

import pytest

from opsconsole.clients.alertmanager import Status
from opsconsole.clients.delivery import Connection, connection
from opsconsole.clients.prometheus import Prometheus, Sending
from opsconsole.errors import Unseen

OURS, OTHER = "http://a:9093/api/v2/alerts", "https://b:9093/am/api/v2/alerts"


@pytest.mark.parametrize(
    ("known", "cluster", "peers", "separate", "said"),
    [
        ([OURS], "disabled", 0, [], ""),
        ([OURS], "ready", 1, [], ""),
        ([OURS], "ready", 3, [], ""),
        ([OURS, OURS], "disabled", 0, [], ""),
        ([OURS, OTHER], "ready", 2, [], ""),
        ([OURS, OTHER], "disabled", 0, [], "to 2 Alertmanagers, and this one is in no cluster"),
        ([OURS, OTHER], "ready", 1, [], "this one sees a cluster of 1, itself included"),
        ([OURS, OTHER], "disabled", 0, ["b:9093"], ""),
        ([OURS, OTHER], "disabled", 0, ["https://b:9093/am"], ""),
        ([OURS, OTHER], "disabled", 0, ["c:9093"], "is in no cluster"),
    ],
    ids=[
        "one",
        "one in a cluster of its own",
        "one of three",
        "found twice",
        "a pair",
        "two alone",
        "a pair that lost one",
        "another one's, by host and port",
        "another one's, by URL",
        "a stranger named",
    ],
)
def test_apart(known: list[str], cluster: str, peers: int, separate: list[str], said: str) -> None:
    status = Status(version="0.33", config_text="", cluster_status=cluster, peers=peers, started_at=0.0)
    found = Connection(OURS, known=tuple(known)).apart(status, separate)
    assert said in found.summary if found and said else not found and not said


class Elsewhere:
    """A Prometheus that sends to two Alertmanagers, of which it cannot be seen whether one is ours."""

    def __init__(self, sending: Sending | None) -> None:
        self._sending = sending

    async def alertmanagers(self) -> list[str]:
        return [OURS, OTHER]

    async def settling_seconds(self) -> float:
        return 0.0

    async def sending(self) -> Sending:
        if self._sending is None:
            raise Unseen("its metrics are not for us")
        return self._sending


@pytest.mark.parametrize(
    ("sent", "errors", "in_vain"),
    [
        ({OURS: 3.0, OTHER: 3.0}, {OURS: 3.0, OTHER: 3.0}, True),
        ({OURS: 3.0, OTHER: 3.0}, {OURS: 3.0, OTHER: 1.0}, False),
        ({}, {}, False),
        (None, {}, False),
    ],
    ids=["both in vain", "one takes some", "none sent yet", "not told"],
)
async def test_alerts_that_nobody_takes_are_told_whoever_it_is(
    sent: dict[str, float] | None, errors: dict[str, float], in_vain: bool
) -> None:
    sending = None if sent is None else Sending(sent=sent, errors=errors, dropped=0.0)
    prometheus = cast(Prometheus, Elsewhere(sending))
    if not in_vain:
        with pytest.raises(Unseen, match="cannot be seen"):
            await connection(prometheus, "http://127.0.0.1:9093")
        return
    (found,) = (await connection(prometheus, "http://127.0.0.1:9093")).findings
    assert f"3 alerts to {OURS}, and none was taken; Prometheus sent 3 alerts to {OTHER}" in found.summary
