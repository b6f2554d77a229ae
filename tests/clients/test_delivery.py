"""Alertmanagers that Prometheus sends to, and whether they are one."""

import pytest

from opsconsole.clients.alertmanager import Status
from opsconsole.clients.delivery import Connection

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
