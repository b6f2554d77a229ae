"""Metrics that are scraped, that are not, and a Prometheus that cannot be seen or believed."""

import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

from opsconsole.config import Environment
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.breaking import eventually, prometheus_config, queried, replaced, service
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import blinded, every_reason, saying, unseen
from tests.standins.proxy import Asked, Forward, Told, at, proxied, replacing
from tests.standins.raw import http, raw_server

ITEM = "scraping"
USAGE = "rsolv_billing_usage_tracked_total"
RECENT = f"last_over_time({USAGE}[4s])"


async def test_passes_on_fresh_counters(here: Environment, verify: Verify) -> None:
    view = await verify(here, ITEM)
    assert (view.outcome, view.findings) == (Outcome.PASS, [])
    assert "1 of 1 targets of rsolv-platform up" in view.text
    assert "5 on the target too, their counters fresh" in view.text


async def test_a_family_that_is_gone_is_named(lab: LabState, here: Environment, verify: Verify) -> None:
    with service(lab, withheld_families=[USAGE.removesuffix("_total")]):
        eventually(lambda: not queried(lab, RECENT), "the family is stale")
        view = await verify(here, ITEM)
    eventually(lambda: queried(lab, RECENT), "the family is back")
    assert view.outcome is Outcome.FAIL
    assert {finding.subject for finding in view.findings} == {USAGE}
    assert [finding.summary for finding in view.findings] == [
        "is missing on the target",
        "is missing in Prometheus",
    ]


async def test_a_family_that_prometheus_drops_is_told_from_one_that_is_not_exported(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    with proxied(lab.prometheus_url, replacing(USAGE, "renamed", "/query_range")) as url:
        view = await verify(changed(here, prometheus_url=url), ITEM)
    assert [(finding.subject, finding.summary) for finding in view.findings] == [
        (USAGE, "is missing in Prometheus, though the target exports it")
    ]


async def test_relabelling_that_drops_a_family_is_found(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    drop = f"    metric_relabel_configs: [{{source_labels: [__name__], regex: {USAGE}, action: drop}}]\n"
    with prometheus_config(lab, replaced("    relabel_configs:\n", f"{drop}    relabel_configs:\n")):
        eventually(lambda: not queried(lab, RECENT), "nothing of it is scraped")
        view = await verify(here, ITEM)
    eventually(lambda: queried(lab, RECENT), "the family is back")
    assert view.outcome is Outcome.FAIL
    assert {finding.subject for finding in view.findings} == {USAGE}


async def test_a_job_without_targets_is_named_beside_those_that_have_some(
    here: Environment, verify: Verify
) -> None:
    view = await verify(changed(here, service_job="rsolv"), ITEM)
    assert (view.outcome, view.text) == (Outcome.FAIL, "no target belongs to the job rsolv")
    assert view.findings[0].detail == "jobs that have targets: rsolv-platform"


async def test_the_scraped_target_must_be_the_one_looked_at(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    def much_more(told: Told) -> Told:
        return told.saying("} ", "} 9")

    with proxied(lab.service_url, at("/metrics", much_more)) as url:
        view = await verify(changed(here, service_metrics=f"{url}/metrics"), ITEM)
    assert view.outcome is Outcome.FAIL
    assert "on the target, and they do not come together" in view.text


def the_page(lab: LabState) -> Told:
    with urlopen(lab.metrics_url, timeout=60) as answer:
        return Told(200, answer.read(), {"content-type": answer.headers["content-type"]})


async def test_metrics_out_of_a_cache_are_not_fresh(lab: LabState, here: Environment, verify: Verify) -> None:
    page = the_page(lab)
    lines = [line for line in page.body.decode().splitlines() if line.startswith(USAGE)]
    total = sum(float(line.rpartition(" ")[2]) for line in lines)
    eventually(lambda: queried(lab, f"sum({USAGE}) > {total}"), "Prometheus is further")
    with proxied(lab.service_url, at("/metrics", lambda told: page)) as url:
        view = await verify(changed(here, service_metrics=f"{url}/metrics"), ITEM)
    assert view.outcome is Outcome.FAIL
    assert "they do not come together" in view.text


async def test_an_old_scrape_is_not_taken_for_a_new_one(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    long_ago = (datetime.now(UTC) - timedelta(minutes=10)).isoformat()

    def old(told: Told) -> Told:
        text = re.sub(r'"lastScrape":"[^"]*"', f'"lastScrape":"{long_ago}"', told.body.decode())
        return replace(told, body=text.encode())

    with proxied(lab.prometheus_url, at("/targets", old)) as url:
        view = await verify(changed(here, prometheus_url=url), ITEM)
    assert view.outcome is Outcome.FAIL
    assert "rsolv-platform:9568: was scraped 10 min" in view.text


async def test_a_clock_an_hour_off_proves_nothing_fresh(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    def an_hour_ago(asked: Asked, forward: Forward) -> Told:
        if asked.params.get("query") == ["time()"]:
            at = time.time() - 3600
            body = f'{{"status":"success","data":{{"resultType":"scalar","result":[{at},"{at}"]}}}}'
            return Told(200, body.encode(), {"content-type": "application/json"})
        return forward()

    with proxied(lab.prometheus_url, an_hour_ago) as url:
        view = await verify(changed(here, prometheus_url=url), ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert "its clock is 3600 s behind ours" in view.text


async def test_an_answer_with_a_warning_proves_nothing(
    lab: LabState, here: Environment, verify: Verify
) -> None:
    warned = '{"status":"success","warnings":["one store could not be reached"],'
    with proxied(lab.prometheus_url, replacing('{"status":"success",', warned, "/query_range")) as url:
        view = await verify(changed(here, prometheus_url=url), ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert "warns that one store could not be reached" in view.text


async def test_the_metrics_page_is_html(here: Environment, verify: Verify) -> None:
    async with unseen("HTML") as url:
        view = await verify(changed(here, service_metrics=url), ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert "answered HTML where metrics were expected" in view.text


async def test_an_empty_page_is_told_as_one(here: Environment, verify: Verify) -> None:
    async with raw_server(http(b"", content_type="text/plain")) as url:
        view = await verify(changed(here, service_metrics=url), ITEM)
    assert (view.outcome, view.text) == (Outcome.FAIL, f"{url} answers, and exports nothing")


async def test_says_what_was_not_looked_at(here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, service_metrics=None), ITEM)
    assert view.outcome is Outcome.PASS
    assert "the target itself was not looked at" in view.text


@every_reason
async def test_unknown_without_prometheus(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "prometheus_url", reason) as blind:
        view = await verify(blind, ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text
