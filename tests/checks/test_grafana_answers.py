"""Grafana answers, is ill, or cannot be seen."""

from opsconsole.config import Environment
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import blinded, every_reason, saying
from tests.standins.proxy import proxied, replacing

CHECK = "grafana_answers"


async def test_passes_without_a_token(here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, grafana_token=None), check=CHECK)
    assert view.outcome is Outcome.PASS


async def test_its_database_fails(lab: LabState, here: Environment, verify: Verify) -> None:
    failing = replacing('"database": "ok"', '"database": "failing"', "/health")
    with proxied(lab.grafana_url, failing) as url:
        view = await verify(changed(here, grafana_url=url), check=CHECK)
    assert (view.outcome, view.text) == (Outcome.FAIL, "Grafana's database is failing")


@every_reason
async def test_unknown_when_not_to_be_seen(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "grafana_url", reason) as blind:
        view = await verify(blind, check=CHECK)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text
