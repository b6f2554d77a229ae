"""Settings with which a check would look at nothing, or at nonsense, are refused before anything runs."""

import pytest

from opsconsole.config import Environment
from opsconsole.errors import ChecklistError
from tests.checks.conftest import Verify

PLUGIN = 'plugin = "P"\nplugins = "Q"\n'
EXPECTED = '[[item.check.expected]]\nemail = ["a@b.c"]\n'


@pytest.mark.parametrize(
    ("check", "settings"),
    [
        ("history_is_kept", "days = 0\n"),
        ("thresholds_are_appropriate", "days = -1\n"),
        ("metrics_are_scraped", "families = []\n"),
        ("plugin_is_registered", f"{PLUGIN}families = []\n"),
        ("test_alert_arrives", 'labels = {alertname = "A"}\ndelivery_seconds = 0.0\n'),
        ("routes_reach_people", "expected = []\n"),
        ("routes_reach_people", f"{EXPECTED}alerts = []\n"),
        ("routes_reach_people", f'{EXPECTED}alerts = ["A"]\ngroup_wait = "banana"\n'),
    ],
)
async def test_a_setting_that_makes_a_check_vacuous_is_refused(
    check: str, settings: str, here: Environment, verify: Verify
) -> None:
    with pytest.raises(ChecklistError, match="Expected `"):
        await verify(here, check=check, settings=settings)
