"""Panels with data, without, and without for ever."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from opsconsole.config import Environment
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.breaking import Edit, dashboard, dropped
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import blinded, every_reason, saying
from tests.standins.proxy import Asked, Forward, Told, proxied

ITEM = "panels"
RATE = "Subscription Creation Rate"
CREDITS = "Credit System Overview"
P = "rsolv_billing_"


def target(title: str, number: int, expr: str) -> Edit:
    """An edit that gives one query of a panel another expression."""

    def edit(text: str) -> str:
        board: dict[str, Any] = json.loads(text)
        panel = next(panel for panel in board["panels"] if panel["title"] == title)
        panel["targets"][number]["expr"] = expr
        return json.dumps(board)

    return edit


BREAKS: dict[str, tuple[str, int, str, str]] = {
    "a metric misspelt": (
        RATE, 0, f"rate({P}subscriptions_created_total[1m])",
        f"can never have data: {P}subscriptions_created_total is exported by nobody",
    ),
    "the second query misspelt": (
        CREDITS, 1, f"sum(rate({P}credit_consumed_total[1m]))",
        f"a query of it can never have data: {P}credit_consumed_total is exported by nobody",
    ),
    "a label that does not exist": (
        RATE, 0, f'rate({P}subscription_created_total{{plans="pro"}}[1m])',
        f"can never have data: no series of {P}subscription_created_total carries the label plans",
    ),
    "a histogram's bare name": (
        RATE, 0, f"rate({P}credits_added_quantity[1m])", "is a histogram",
    ),
    "a join that matches nothing": (
        RATE, 0, f"sum by (plan) ({P}subscription_created_total) / sum by (reason) ({P}credits_added_total)",
        "matches nothing",
    ),
    "a quantile above its buckets": (
        RATE, 0,
        f"histogram_quantile(0.9, sum by (le) (rate({P}credits_added_quantity_bucket[1m]))) > 10000",
        "is never over 10000",
    ),
    "no PromQL": (RATE, 0, f"rate({P}subscription_created_total[1m]", "query error: "),
    "a variable without a value": (
        RATE, 0, f'rate({P}subscription_created_total{{plan="$tariff"}}[1m])',
        "query error: the variable tariff has no value",
    ),
}  # fmt: skip


async def test_passes_when_all_have_data_or_could(here: Environment, verify: Verify) -> None:
    view = await verify(here, ITEM)
    assert (view.outcome, view.findings) == (Outcome.PASS, [])
    assert len([seen for seen in view.seen if seen.subject]) == 10


@pytest.mark.parametrize("broken", BREAKS)
async def test_a_panel_that_is_broken(broken: str, lab: LabState, here: Environment, verify: Verify) -> None:
    title, number, expr, summary = BREAKS[broken]
    with dashboard(lab, target(title, number, expr)):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.FAIL
    assert [finding.subject for finding in view.findings] == [title]
    assert summary in view.findings[0].summary


async def test_no_activity_yet_is_not_never(lab: LabState, here: Environment, verify: Verify) -> None:
    with dashboard(lab, target(RATE, 0, f"rate({P}subscription_created_total[5m]) > 1e9")):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.PASS
    assert [seen.subject for seen in view.seen if seen.text.startswith("no activity yet")] == [RATE]
    assert view.text == "9 of 10 panels show data, 1 wait for activity"


async def test_a_value_never_seen_is_for_a_person_to_judge(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    expr = f'rate({P}payment_processed_total{{status="sucess"}}[1m])'
    with dashboard(lab, target(RATE, 0, expr)):
        view = await verify(here, ITEM)
    assert view.outcome is Outcome.SIGN_OFF
    assert f'{RATE} (status="sucess", perhaps "success")' in view.question


@pytest.mark.parametrize(
    ("metric", "outcome"),
    [(f"{P}invoices_failed_total", Outcome.FAIL), ("http_5xx_total", Outcome.PASS)],
    ids=["misspelt", "waits for its first event"],
)
async def test_zero_in_the_place_of_no_data(
    metric: str, outcome: Outcome, lab: LabState, here: Environment, verify: Verify
) -> None:
    with dashboard(lab, target("Failed Payments by Reason", 0, f"sum(increase({metric}[1h])) or vector(0)")):
        view = await verify(here, ITEM)
    assert view.outcome is outcome
    if outcome is Outcome.FAIL:
        assert f"shows a constant in the place of what can never have data: {metric} is" in view.text


def without_panels(text: str) -> str:
    return json.dumps({**json.loads(text), "panels": []})


NOTHING: dict[str, tuple[Callable[[Environment], Environment], Edit | None, str]] = {
    "no panel": (lambda env: env, without_panels, "has no panel with a query"),
    "no dashboard": (lambda env: changed(env, grafana_dashboard="x"), None, "no dashboard with the uid x"),
}


@pytest.mark.parametrize("broken", NOTHING)
async def test_nothing_to_look_at(broken: str, lab: LabState, here: Environment, verify: Verify) -> None:
    change, edit, summary = NOTHING[broken]
    if edit is None:
        view = await verify(change(here), ITEM)
    else:
        with dashboard(lab, edit):
            view = await verify(change(here), ITEM)
    assert view.outcome is Outcome.FAIL
    assert summary in view.text


@every_reason
@pytest.mark.parametrize("server", ["prometheus", "grafana"])
async def test_unknown_without_its_servers(
    server: str, reason: str, here: Environment, verify: Verify
) -> None:
    async with blinded(here, f"{server}_url", reason) as blind:
        view = await verify(blind, ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text


async def test_old_data_is_not_taken_for_new(lab: LabState, here: Environment, verify: Verify) -> None:
    metric = f"{P}subscription_created_total"

    def minutes_later(asked: Asked, forward: Forward) -> Told:
        if not asked.params.get("query", [""])[0].endswith("[5m]))"):
            return forward()
        none = {"status": "success", "data": {"resultType": "vector", "result": []}}
        return Told(200, json.dumps(none).encode(), {"content-type": "application/json"})

    with dropped(lab, metric), proxied(lab.prometheus_url, minutes_later) as url:
        view = await verify(changed(here, prometheus_url=url), ITEM)
    assert view.outcome is Outcome.FAIL
    assert f"{RATE}: shows old data: it rests on {metric}, which is scraped no longer" in view.text


async def test_a_metric_that_is_scraped_no_longer_does_not_wait_for_activity(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    metric = f"{P}subscription_created_total"
    with dashboard(lab, target(RATE, 0, f"rate({metric}[5m]) > 1e9")), dropped(lab, metric):
        proven = await verify(here, ITEM)
        doubtful = await verify(changed(here, service_metrics=None), ITEM)
    assert proven.outcome is Outcome.FAIL
    assert f"{RATE}: rests on {metric}, which is scraped no longer (last seen " in proven.text
    assert doubtful.outcome is Outcome.SIGN_OFF
    assert f"{RATE} (rests on {metric}, which is scraped no longer" in doubtful.question
