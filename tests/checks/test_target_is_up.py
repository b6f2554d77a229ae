"""Targets that are up, down, missing, and not to be seen."""

from opsconsole.config import Environment
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.breaking import service_down
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import blinded, every_reason, saying

CHECK = "target_is_up"


async def test_passes(here: Environment, verify: Verify) -> None:
    assert (await verify(here, check=CHECK)).outcome is Outcome.PASS


async def test_down_with_the_reason(lab: LabState, here: Environment, verify: Verify) -> None:
    with service_down(lab):
        view = await verify(here, check=CHECK)
    assert view.outcome is Outcome.FAIL
    assert view.text.startswith("rsolv-platform:9568: target down: ")
    assert "connection refused" in view.text


async def test_no_target(here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, service_job="other"), check=CHECK)
    assert (view.outcome, view.text) == (Outcome.FAIL, "no target belongs to the job other")


@every_reason
async def test_unknown_when_not_to_be_seen(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "prometheus_url", reason) as blind:
        view = await verify(blind, check=CHECK)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text
