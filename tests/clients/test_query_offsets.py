"""Rules that judge the present, and those that judge what was long ago."""

from collections.abc import Sequence
from typing import cast

import msgspec
import pytest

from opsconsole.clients.prometheus import Loading, Prometheus, Rule, Sample
from opsconsole.clients.query_offsets import judged_late
from opsconsole.clients.reference import ReferenceRule
from opsconsole.model import Finding
from tests.clients.test_drift import MEANT, running

NOW = 1_000_000.0
ALERT = running(last_evaluation=NOW)
PENDING = running(last_evaluation=NOW, alerts=[None], state="pending")
RECORDING = running(last_evaluation=NOW, kind="recording", name="job:failed")
TWIN = msgspec.structs.replace(RECORDING, file="/etc/prometheus/other.yml")
UNTOLD = "seen groups: the query_offset of billing was not looked at"
IN_THE_LINE = UNTOLD.replace(" groups:", ":")
SERVER = "seen: rules judge what was 2 min ago, by rule_query_offset"
HOUR = ": rules judge what was 1 h ago: rule_query_offset of Prometheus is 1 h"
LATE = "group billing: judges what was 2 min ago, by a query_offset"


class Server:
    """A Prometheus whose rules write for so many seconds before each evaluation, one a second; or that has
    written for the last time so long ago. `asked`: how often it was asked for its rules."""

    def __init__(self, loaded: Sequence[Rule], late: dict[str, float], *, ended: bool = False) -> None:
        self.loaded, self.late, self.ended = list(loaded), late, ended
        self.now, self.asked = NOW, 0

    async def rules(self) -> list[Rule]:
        self.asked += 1
        self.now = NOW + (self.asked + 1) // 2
        return [msgspec.structs.replace(rule, last_evaluation=self.now) for rule in self.loaded]

    async def query(self, promql: str, *, at: float | None = None) -> list[Sample]:
        name = next((name for name in self.late if f'"{name}"' in promql), None)
        if name is None or (at is not None and self.ended):
            return []
        return [Sample({}, (NOW if self.ended else self.now) - self.late[name], self.now)]


def meaning(offset: float) -> ReferenceRule:
    return msgspec.structs.replace(MEANT, query_offset_seconds=offset)


@pytest.mark.parametrize(
    ("wanted", "loaded", "usual", "late", "said"),
    [
        pytest.param([MEANT], [ALERT], 0.0, {}, [UNTOLD], id="nothing is written"),
        pytest.param([meaning(60.0)], [ALERT], 0.0, {}, [IN_THE_LINE], id="one is meant"),
        pytest.param([MEANT], [ALERT, RECORDING], 0.0, {"job:failed": 0.4}, [], id="of the present"),
        pytest.param([MEANT], [ALERT, RECORDING], 0.0, {"job:failed": 120.4}, [LATE], id="recorded late"),
        pytest.param([MEANT], [PENDING], 0.0, {"Failing": 120.4}, [LATE], id="an alert under way"),
        pytest.param([MEANT], [ALERT, RECORDING, TWIN], 0.0, {"job:failed": 120.4}, [UNTOLD],
                     id="another group records it too"),
        pytest.param([meaning(120.0)], [ALERT, RECORDING], 0.0, {"job:failed": 120.4}, [],
                     id="as the reference has it"),
        pytest.param([MEANT], [ALERT, RECORDING], 120.0, {"job:failed": 120.4}, [SERVER], id="of the server"),
        pytest.param([MEANT], [ALERT, RECORDING], 3600.0, {"job:failed": 3600.0}, [HOUR], id="an hour"),
        pytest.param([meaning(60.0)], [ALERT, RECORDING], 3600.0, {"job:failed": 60.4}, [],
                     id="every group has its own"),
        pytest.param([MEANT], [ALERT, RECORDING], None, {"job:failed": 120.4}, [],
                     id="the server does not tell what is usual"),
    ],
)  # fmt: skip
async def test_what_is_told(
    wanted: list[ReferenceRule],
    loaded: list[Rule],
    usual: float | None,
    late: dict[str, float],
    said: list[str],
) -> None:
    found = await told(wanted, Server(loaded, late), usual)
    assert len(found) == len(said)
    assert all(one.startswith(words) for one, words in zip(found, said, strict=True))


async def test_what_is_written_no_longer_is_not_late() -> None:
    ended = Server([ALERT, RECORDING], {"job:failed": 600.0}, ended=True)
    assert [one.startswith(UNTOLD) for one in await told([MEANT], ended, 0.0)] == [True]
    assert ended.asked == 0


async def told(wanted: list[ReferenceRule], server: Server, usual: float | None) -> list[str]:
    loading = None
    if usual is not None:
        loading = Loading(rule_files=[], interval_seconds=None, query_offset_seconds=usual)
    found = judged_late(cast(Prometheus, server), wanted, server.loaded, loading)
    return [
        f"{each.subject}: {each.summary}"
        if isinstance(each, Finding)
        else f"seen {each.subject}".strip() + f": {each.text}"
        async for each in found
    ]
