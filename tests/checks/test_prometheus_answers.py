"""Prometheus answers, runs an old configuration, or cannot be seen."""

from opsconsole.config import Environment
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.breaking import rule_file
from tests.checks.conftest import Verify
from tests.checks.unseen import blinded, every_reason, saying

CHECK = "prometheus_answers"


async def test_passes(lab: LabState, here: Environment, verify: Verify) -> None:
    view = await verify(here, check=CHECK)
    assert view.outcome is Outcome.PASS
    assert view.text.startswith("Prometheus ")


async def test_the_last_reload_was_refused(lab: LabState, here: Environment, verify: Verify) -> None:
    with rule_file(lab, lambda text: text + "broken", accepted=False):
        view = await verify(here, check=CHECK)
    assert view.outcome is Outcome.FAIL
    assert "was refused; the old one still runs" in view.text


@every_reason
async def test_unknown_when_not_to_be_seen(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "prometheus_url", reason) as blind:
        view = await verify(blind, check=CHECK)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text
