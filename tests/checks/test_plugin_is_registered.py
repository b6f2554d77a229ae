"""The plugin: by the application's own word, by what it exports, and unknown."""

import pytest

from opsconsole.clients.cluster import Cluster
from opsconsole.config import Cluster as ClusterSettings
from opsconsole.config import Environment
from opsconsole.errors import Unreachable
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.breaking import service_down
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import blinded, every_reason, saying
from tests.standins.proxy import proxied, replacing

ITEM = "plugin"
PLUGIN = "Rsolv.PromEx.BillingPlugin"
CONSUMED = "rsolv_billing_credits_consumed_total"


@pytest.fixture
def clustered(here: Environment) -> Environment:
    return changed(here, cluster=ClusterSettings(namespace="rsolv", deployment="rsolv-platform"))


def answer(monkeypatch: pytest.MonkeyPatch, text: str | Exception) -> None:
    async def said(self: Cluster, code: str) -> str:
        if isinstance(text, Exception):
            raise text
        return text

    monkeypatch.setattr(Cluster, "eval", said)


async def test_passes_by_what_it_exports(here: Environment, verify: Verify) -> None:
    view = await verify(here, ITEM)
    assert view.outcome is Outcome.PASS
    assert f"8 of 8 families that only {PLUGIN} exports, at http://127.0.0.1" in view.text


async def test_passes_by_what_prometheus_has(here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, service_metrics=None), ITEM)
    assert view.outcome is Outcome.PASS
    assert "Prometheus, job rsolv-platform" in view.text


async def test_a_family_that_is_not_exported(lab: LabState, here: Environment, verify: Verify) -> None:
    with proxied(lab.service_url, replacing(CONSUMED, "renamed")) as url:
        view = await verify(changed(here, service_metrics=f"{url}/metrics"), ITEM)
    assert view.outcome is Outcome.FAIL
    assert view.text == f"{CONSUMED}: is not exported, and only {PLUGIN} exports it"


async def test_other_metrics_alone(lab: LabState, here: Environment, verify: Verify) -> None:
    with proxied(lab.service_url, replacing("rsolv_billing", "rsolv_other")) as url:
        view = await verify(changed(here, service_metrics=f"{url}/metrics"), ITEM)
    assert view.outcome is Outcome.FAIL
    assert view.text == f"none of the 8 families that only {PLUGIN} exports is there"


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (f"{PLUGIN}\n", Outcome.PASS),
        (f"12:00:00 [info] starting\n{PLUGIN}", Outcome.PASS),
        ("nil\n", Outcome.FAIL),
        ("", Outcome.FAIL),
        (f"module {PLUGIN} is not available", Outcome.FAIL),
        (f"{PLUGIN}Old", Outcome.FAIL),
        (Unreachable("no connection"), Outcome.UNKNOWN),
    ],
)
async def test_by_the_application_s_own_word(
    said: str | Exception,
    outcome: Outcome,
    clustered: Environment,
    verify: Verify,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, said)
    assert (await verify(clustered, ITEM)).outcome is outcome


async def test_unknown_where_the_target_is_down(lab: LabState, here: Environment, verify: Verify) -> None:
    with service_down(lab):
        view = await verify(changed(here, service_metrics=None), ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert "no target of rsolv-platform is up" in view.text


@every_reason
async def test_unknown_without_the_metrics_page(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "service_metrics", reason) as blind:
        view = await verify(blind, ITEM)
    assert view.outcome is Outcome.UNKNOWN or reason == "cut JSON", view.text
    assert view.outcome is not Outcome.PASS
    if reason != "cut JSON":
        assert saying(reason) in view.text
