"""The service is well, says that it is not, and cannot be seen."""

from opsconsole.config import Environment
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.breaking import service
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import blinded, every_reason, saying
from tests.standins.raw import http, raw_server

CHECK = "service_answers"


async def test_passes(here: Environment, verify: Verify) -> None:
    assert (await verify(here, check=CHECK)).outcome is Outcome.PASS


async def test_it_says_itself_that_it_is_not_well(lab: LabState, here: Environment, verify: Verify) -> None:
    with service(lab, webhooks=False):
        view = await verify(here, check=CHECK)
    assert view.outcome is Outcome.FAIL
    assert "degraded" in view.text


async def test_unavailable_is_a_word_of_its_own(here: Environment, verify: Verify) -> None:
    async with raw_server(http(b'{"status": "starting"}', "503 Service Unavailable")) as url:
        view = await verify(changed(here, service_url=url), check=CHECK)
    assert (view.outcome, view.text) == (Outcome.FAIL, 'the service says: {"status": "starting"}')


@every_reason
async def test_unknown_when_not_to_be_seen(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "service_url", reason) as blind:
        view = await verify(blind, check=CHECK)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text
