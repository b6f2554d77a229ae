"""With the service down, everything that depends on it says why."""

import pytest

from opsconsole.config import Environment
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.breaking import service_down
from tests.checks.conftest import Verify

ITEMS = ["scraping", "webhook-metrics", "plugin"]


async def test_the_chain_leads_to_the_connection_that_is_refused(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with service_down(lab):
        views = {item: await verify(here, item) for item in ITEMS}
    assert {item: view.outcome for item, view in views.items()} == {
        "scraping": Outcome.FAIL,
        "webhook-metrics": Outcome.UNKNOWN,
        "plugin": Outcome.UNKNOWN,
    }
    port = lab.service_url.rpartition(":")[2]
    assert "is down" in views["scraping"].text
    for view in views.values():
        steps = {step.check: step for step in view.diagnosis}
        assert steps["target_is_up"].outcome is Outcome.FAIL
        assert "target down" in steps["target_is_up"].summary
        assert f":{port}: connect: connection refused" in steps["target_is_up"].summary
        assert steps["metrics_endpoint_answers"].outcome is Outcome.UNKNOWN
        assert f":{port}/metrics: connection refused" in steps["metrics_endpoint_answers"].summary


@pytest.mark.parametrize("item", ["dashboard", "panels", "rules", "routing", "retention"])
async def test_what_does_not_depend_on_it_is_not_disturbed(
    item: str, lab: LabState, here: Environment, verify: Verify
) -> None:
    view = await verify(here, item)
    assert view.outcome is Outcome.PASS, view.text
    assert view.diagnosis == []
