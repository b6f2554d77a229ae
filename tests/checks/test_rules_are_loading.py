"""Rules that load and evaluate, that do not, and that cannot be seen."""

from opsconsole.config import Environment
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.breaking import eventually, prometheus_config, replaced, rule_file, rules
from tests.checks.conftest import Verify
from tests.checks.unseen import blinded, every_reason, saying

CHECK = "rules_are_loading"

BROKEN = """
  - name: broken
    rules:
      - alert: Broken
        expr: up * on (job) (up or label_replace(up, "a", "b", "", ""))
"""


async def test_passes(lab: LabState, here: Environment, verify: Verify) -> None:
    view = await verify(here, check=CHECK)
    assert (view.outcome, view.text) == (Outcome.PASS, f"7 rules loaded from {lab.rules_path}")


async def test_the_last_reload_was_refused(lab: LabState, here: Environment, verify: Verify) -> None:
    with rule_file(lab, lambda text: text + "broken", accepted=False):
        view = await verify(here, check=CHECK)
    assert view.outcome is Outcome.FAIL
    assert "rules that were loaded before still run" in view.text


async def test_a_rule_that_fails_is_named(lab: LabState, here: Environment, verify: Verify) -> None:
    with rule_file(lab, lambda text: text + BROKEN):
        eventually(lambda: any(rule["health"] == "err" for rule in rules(lab)), "the rule fails")
        view = await verify(here, check=CHECK)
    assert view.outcome is Outcome.FAIL
    assert view.text.startswith("Broken: fails to evaluate: ")


async def test_rules_from_nowhere(lab: LabState, here: Environment, verify: Verify) -> None:
    with prometheus_config(lab, replaced("- billing-alerts.yml", "- none.yml")):
        view = await verify(here, check=CHECK)
    eventually(lambda: len(rules(lab)) == 7, "the rules are back")
    assert (view.outcome, view.text) == (Outcome.FAIL, "no rule at all is loaded")
    assert "/none.yml, which rule_files names" in view.findings[0].detail


@every_reason
async def test_unknown_when_not_to_be_seen(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "prometheus_url", reason) as blind:
        view = await verify(blind, check=CHECK)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text
