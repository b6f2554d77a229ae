"""The shipped checklist in a healthy lab, item by item."""

import pytest

from opsconsole.config import Environment
from opsconsole.model import Outcome
from tests.checks.conftest import Verify

ITEMS = [
    "scraping",
    "webhook-metrics",
    "plugin",
    "retention",
    "dashboard",
    "panels",
    "rules",
    "thresholds",
    "routing",
    "test-email",
]


@pytest.mark.parametrize("item", ITEMS)
async def test_passes_in_a_healthy_lab(item: str, here: Environment, verify: Verify) -> None:
    view = await verify(here, item)
    assert (view.outcome, view.findings) == (Outcome.PASS, []), view.text
