"""History that is kept long enough, and not."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsconsole.config import Environment
from opsconsole.lab import processes
from opsconsole.lab.servers import Servers
from opsconsole.lab.state import LabState
from opsconsole.model import Outcome
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import blinded, every_reason, saying
from tests.standins.proxy import Asked, Forward, Told, proxied

ITEM = "retention"


@pytest.fixture(scope="module")
def forgetful(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Prometheus that keeps two days, and has nothing yet but itself."""
    folder: Path = tmp_path_factory.mktemp("prometheus")
    with processes.free_ports(1) as (port,):
        own = f"scrape_configs: [{{job_name: own, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]"
        (folder / "prometheus.yml").write_text(own)
        argv: list[str | Path] = [
            servers.prometheus,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=2d",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        process = processes.spawn(argv, log=folder / "log", die_with_parent=True)
        asyncio.run(processes.wait_ready(f"http://127.0.0.1:{port}/-/ready", process))
    yield f"http://127.0.0.1:{port}"
    process.stop()


async def test_passes_with_fifteen_days(here: Environment, verify: Verify) -> None:
    view = await verify(here, ITEM)
    assert view.outcome is Outcome.PASS
    assert view.text.startswith("keeps 15d, and its data reach back 15 d")


async def test_kept_too_short_and_nothing_there(forgetful: str, here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, prometheus_url=forgetful), ITEM)
    assert view.outcome is Outcome.FAIL
    assert [finding.summary for finding in view.findings] == [
        "keeps 2 d, less than 15 d",
        "it has no sample of rsolv_billing_payment_processed_total at all",
    ]


async def test_younger_than_it_should_be(here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, settings={"days": 30}), ITEM)
    assert view.outcome is Outcome.FAIL
    assert view.findings[0].summary == "keeps 15 d, less than 30 d"
    assert view.findings[1].summary.startswith("its data reach back 15 d")
    assert view.findings[1].summary.endswith(", not 30 d")


async def test_a_metric_that_is_younger_than_the_rest(here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, settings={"metric": "up"}), ITEM)
    assert view.outcome is Outcome.FAIL
    (found,) = view.findings
    assert found.summary.startswith("its data reach back")
    assert found.remedy.startswith("other data reach back 15 d")


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ("prometheus_tsdb_size_retentions_total 7\n", ", not 15 d: its limit on size has cut them 7 times"),
        ("prometheus_tsdb_lowest_timestamp_seconds 4e9\n", ": its storage was empty when it started"),
        (
            "prometheus_tsdb_lowest_timestamp_seconds 2e9\nprometheus_tsdb_size_retentions_total 0\n",
            "was empty when",
        ),
        ("go_goroutines 7\n", "retention by size cuts earlier"),
        ("", "its own metrics, which tell, were not to be seen"),
    ],
    ids=["cut by size", "empty at the start", "not cut by size", "not told", "not seen"],
)
async def test_why_it_reaches_no_further(
    metrics: str, said: str, lab: LabState, here: Environment, verify: Verify
) -> None:
    def own(asked: Asked, forward: Forward) -> Told:
        if asked.path != "/metrics":
            return forward()
        return Told(200 if metrics else 403, metrics.encode(), {"content-type": "text/plain"})

    with proxied(lab.prometheus_url, own) as url:
        view = await verify(changed(here, prometheus_url=url, settings={"metric": "up"}), ITEM)
    assert view.outcome is Outcome.FAIL
    assert said in view.findings[0].summary + view.findings[0].remedy


@every_reason
async def test_unknown_without_prometheus(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "prometheus_url", reason) as blind:
        view = await verify(blind, ITEM)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text
