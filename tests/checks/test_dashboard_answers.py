"""A dashboard that is there and works, and one that does not."""

import json
from pathlib import Path

import pytest

from opsconsole.config import Environment
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from opsconsole.secrets import MadeUp
from tests.checks.breaking import Edit, dashboard, replaced
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import blinded, every_reason, saying
from tests.standins.proxy import Asked, Forward, Told, proxied, replacing

ITEM = "dashboard"


def without_last(text: str) -> str:
    board = json.loads(text)
    return json.dumps({**board, "panels": board["panels"][:-1]})


def hidden(text: str) -> str:
    board = json.loads(text)
    board["panels"][-1]["targets"] = [{**each, "hide": True} for each in board["panels"][-1]["targets"]]
    return json.dumps(board)


def at_a_fixed_time(text: str) -> str:
    return json.dumps(
        {**json.loads(text), "time": {"from": "2024-02-01T08:00:00Z", "to": "2024-02-01T20:00"}}
    )


BREAKS: dict[str, tuple[Edit, str, str]] = {
    "a panel removed": (without_last, "Credit System Overview", "there is no such panel with a query"),
    "a panel hidden": (hidden, "Credit System Overview", "all its queries are hidden"),
    "a fixed time": (at_a_fixed_time, "", "opens with a fixed time range, which ended on 2024-02-01"),
    "an input never filled in": (
        replaced("${datasource}", "${DS_LAB}"), "data source ${DS_LAB}", "was never filled in",
    ),
    "a data source that is gone": (
        replaced("${datasource}", "prometheus-gone"), "data source prometheus-gone",
        "is not healthy: Grafana has none of this uid",
    ),
    "another metric": (
        replaced("sum(rate(rsolv_billing_credits_consumed_total[$__rate_interval]))", "up"),
        "Credit System Overview",
        "differs from the reference in its queries",
    ),
    "a query that fails": (
        replaced("sum by (plan) (rate(", "sum by (plan) (rat("),
        "Subscription Creation Rate",
        "its query fails",
    ),
}  # fmt: skip


async def test_passes(here: Environment, verify: Verify) -> None:
    view = await verify(here, ITEM)
    assert (view.outcome, view.findings) == (Outcome.PASS, [])
    assert "of 10 panels show data" in view.text
    assert "opsconsole lab stand-in" in view.text
    assert "10 panels compared with reference-dashboard.json" in view.text


async def test_without_a_reference_it_says_that_nothing_was_compared(
    here: Environment, verify: Verify
) -> None:
    view = await verify(changed(here, grafana_reference=None), ITEM)
    assert (view.outcome, view.findings) == (Outcome.PASS, [])
    assert "what its panels show was not compared with a reference: none is configured" in view.text


async def test_a_reference_that_is_no_dashboard(here: Environment, verify: Verify, tmp_path: Path) -> None:
    reference = tmp_path / "billing.json"
    reference.write_text("{}")
    view = await verify(changed(here, grafana_reference=reference), ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert f"{reference}: it holds no dashboard" in view.text


@pytest.mark.parametrize("broken", BREAKS)
async def test_what_is_broken(broken: str, lab: LabState, here: Environment, verify: Verify) -> None:
    edit, subject, summary = BREAKS[broken]
    with dashboard(lab, edit):
        view = await verify(here, ITEM)
    assert view.outcome is not Outcome.PASS
    assert any(f.subject == subject and summary in f.summary for f in view.findings), view.text


async def test_a_dashboard_that_is_not_there(here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, grafana_dashboard="other"), ITEM)
    assert (view.outcome, view.text) == (Outcome.FAIL, "there is no dashboard with the uid other")


@pytest.mark.parametrize(
    ("old", "new", "summary"),
    [
        ('"database": "ok"', '"database": "failing"', "Grafana's database is failing"),
        ('"status": "OK"', '"status": "ERROR"', "data source prometheus-lab: is not healthy"),
    ],
)
async def test_ill_health(
    old: str, new: str, summary: str, lab: LabState, here: Environment, verify: Verify
) -> None:
    with proxied(lab.grafana_url, replacing(old, new, "/health")) as url:
        view = await verify(changed(here, grafana_url=url), ITEM)
    assert view.outcome is Outcome.FAIL
    assert summary in view.text


async def test_a_data_source_of_another_prometheus(lab: LabState, here: Environment, verify: Verify) -> None:
    with proxied(lab.grafana_url, replacing("rsolv-platform:9568", "staging:9568", "/ds/query")) as url:
        view = await verify(changed(here, grafana_url=url), ITEM)
    assert view.outcome is Outcome.FAIL
    assert "data source prometheus-lab: leads to another Prometheus" in view.text
    assert view.findings[0].detail == "Grafana's: staging:9568\nours: rsolv-platform:9568"


async def test_panels_without_any_data(lab: LabState, here: Environment, verify: Verify) -> None:
    def empty(asked: Asked, forward: Forward) -> Told:
        if not asked.path.endswith("/ds/query"):
            return forward()
        results = {
            query["refId"]: {"status": 200, "frames": []} for query in json.loads(asked.body)["queries"]
        }
        return Told(200, json.dumps({"results": results}).encode(), {"content-type": "application/json"})

    with proxied(lab.grafana_url, empty) as url:
        view = await verify(changed(here, grafana_url=url), ITEM)
    assert (view.outcome, view.text) == (Outcome.FAIL, "none of the 10 panels shows data")


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("wrong-token", "401: not logged in (Invalid API key"),
        (
            "reader",
            "403: not permitted (You'll need additional permissions to perform this action. "
            "Permissions needed: datasources:query",
        ),
    ],
    ids=["wrong", "reader"],
)
async def test_unknown_with_a_token_that_may_not(
    token: str, says: str, lab: LabState, here: Environment, verify: Verify
) -> None:
    value = lab.grafana_reader_token if token == "reader" else token
    view = await verify(changed(here, grafana_token=MadeUp("lab:token", value)), ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert f"answered {says}" in view.text
    assert "give the environment's grafana a token that may do this" in view.text


@every_reason
async def test_unknown_without_grafana(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "grafana_url", reason) as blind:
        view = await verify(blind, ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text
