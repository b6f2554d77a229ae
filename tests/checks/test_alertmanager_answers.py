"""Alertmanager answers, is not ready, or cannot be seen."""

import pytest

from opsconsole.config import Environment
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import blinded, every_reason, saying
from tests.standins.proxy import proxied, replacing

CHECK = "alertmanager_answers"


async def test_passes(here: Environment, verify: Verify) -> None:
    view = await verify(here, check=CHECK)
    assert view.outcome is Outcome.PASS
    assert "answers, cluster disabled" in view.text


async def test_a_cluster_that_settles_holds_notifications_back(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    settling = replacing('"status":"disabled"', '"status":"settling"', "/status")
    with proxied(lab.alertmanager_url, settling) as url:
        view = await verify(changed(here, alertmanager_url=url), check=CHECK)
    assert view.outcome is Outcome.FAIL
    assert "still settling" in view.text


@pytest.mark.parametrize(
    ("becomes", "outcome", "said"),
    [
        ("_successful 0", Outcome.FAIL, "the last reload of alertmanager.yml was refused"),
        ("_unknown 1", Outcome.PASS, "whether its last reload was accepted was not looked at"),
    ],
    ids=["refused", "not told"],
)
async def test_the_last_reload(
    becomes: str, outcome: Outcome, said: str, lab: LabState, here: Environment, verify: Verify
) -> None:
    with proxied(lab.alertmanager_url, replacing("_successful 1", becomes, "/metrics")) as url:
        view = await verify(changed(here, alertmanager_url=url), check=CHECK)
    assert view.outcome is outcome
    assert said in view.text


@every_reason
async def test_unknown_when_not_to_be_seen(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "alertmanager_url", reason) as blind:
        view = await verify(blind, check=CHECK)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text
